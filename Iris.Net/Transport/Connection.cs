using System.IO.Pipelines;
using System.Net;

namespace Iris.Net.Transport;

/// <summary>One peer: bytes in, bytes out. What is written may go on being collected while a flush is pending; a second flush
/// may not begin before the first ended. A peer that is gone ends the input, and fails a flush with <see cref="IOException"/>.</summary>
internal abstract class Connection : IDuplexPipe, IAsyncDisposable
{
    public abstract PipeReader Input { get; }

    public abstract PipeWriter Output { get; }

    /// <summary>Bytes that were written and that the system has not taken yet.</summary>
    public abstract long Unsent { get; }

    /// <summary>Whether a flush waits for the peer.</summary>
    public abstract bool IsSending { get; }

    /// <summary>Bytes that the system took so far: where it stands still while <see cref="IsSending"/>, the peer takes none.</summary>
    public abstract long Sent { get; }

    /// <summary>Whether the connection was reset, by either side.</summary>
    public abstract bool IsAborted { get; }

    public abstract EndPoint? Remote { get; }

    public abstract EndPoint? Local { get; }

    public virtual bool IsSecure => false;

    /// <summary>Whether it came to a path instead of an address.</summary>
    public abstract bool IsUnix { get; }

    /// <summary>Tells the peer that nothing more will come; the input goes on.</summary>
    public abstract void ShutdownSend();

    /// <summary>Ends the connection at once with a reset; whatever waits on it ends. From any thread.</summary>
    public abstract void Abort();

    /// <summary>Stands around every call into code that may block: a transport that runs connections on threads of its own
    /// needs to know.</summary>
    public virtual UserCode Enter() => default;

    /// <summary>Closes the connection in good order. Where unread input may remain, it is to be read away first, or a reset
    /// overtakes what was sent.</summary>
    public abstract ValueTask DisposeAsync();
}

/// <summary>While it lives, the thread belongs to somebody else's code.</summary>
internal readonly struct UserCode : IDisposable
{
    public void Dispose() { }
}
