using Iris.Net.Server;

namespace Iris.Net.Endpoints;

/// <summary><c>Iris-If-Busy</c>: what a message does where a turn runs already.</summary>
internal static class IfBusyField
{
    /// <summary>False where there are several, or one that is neither <c>interrupt</c> nor <c>reject</c>, which is the default.</summary>
    public static bool TryRead(HttpRequest request, out bool interrupts)
    {
        interrupts = false;
        if (!request.Headers.TryGet("iris-if-busy"u8, out ReadOnlySpan<byte> value))
            return true;
        interrupts = value.SequenceEqual("interrupt"u8);
        return request.Headers.CountOf("iris-if-busy"u8) == 1 && (interrupts || value.SequenceEqual("reject"u8));
    }
}
