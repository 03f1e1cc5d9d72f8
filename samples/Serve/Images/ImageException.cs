namespace Iris.Serve.Images;

/// <summary>An image that cannot be served, or an attempt that its program failed; the message says which and why.</summary>
internal sealed class ImageException(string message) : Exception(message);
