using System.Buffers;

namespace Iris.Net.Server;

/// <summary>A body that is written as it comes. What was written between two flushes leaves as one chunk in one send.</summary>
public sealed class ResponseBody : IBufferWriter<byte>
{
    internal ResponseBody() { }

    /// <summary>Bytes written and not yet handed to the system.</summary>
    public long Unsent => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Advance(int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0) => throw new NotSupportedException();

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => throw new NotSupportedException();

    /// <summary>Sends what was written; the first time the head too, even where nothing was written.</summary>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask FlushAsync(CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>Sends what was written and ends the body, in one send. A handler that returns without it has it done for it.</summary>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask CompleteAsync(CancellationToken cancel = default) => throw new NotSupportedException();
}
