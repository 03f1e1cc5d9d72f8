using System.Buffers;
using System.IO.Compression;

namespace Iris.Net.Server;

/// <summary>Compresses the messages to one peer with the base library (RFC 7692 section 7.2.1).</summary>
/// <param name="options">How.</param>
/// <param name="forgets">Whether each message stands by itself: then nothing is kept between two of them.</param>
internal sealed class MessageDeflater(WebSocketCompression options, bool forgets) : IDisposable
{
    private const int TailLength = 4; // 00 00 FF FF, with which a flush ends

    private readonly Sink _sink = new();
    private DeflateStream? _stream;

    /// <summary>Compresses a message; false where it is better sent as it is.</summary>
    /// <param name="message">The whole of it.</param>
    /// <param name="compressed">Its payload on the wire, valid until <see cref="Release"/>.</param>
    public bool TryDeflate(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> compressed)
    {
        compressed = default;
        if (message.Length < options.MinMessageSize)
            return false;
        Begin().Write(message);
        return TryEnd(message.Length, out compressed);
    }

    /// <summary>Compresses a message; false where it is better sent as it is.</summary>
    /// <param name="message">The whole of it.</param>
    /// <param name="compressed">Its payload on the wire, valid until <see cref="Release"/>.</param>
    public bool TryDeflate(in ReadOnlySequence<byte> message, out ReadOnlySpan<byte> compressed)
    {
        compressed = default;
        if (message.Length < options.MinMessageSize)
            return false;
        DeflateStream stream = Begin();
        foreach (ReadOnlyMemory<byte> segment in message)
            stream.Write(segment.Span);
        return TryEnd(message.Length, out compressed);
    }

    /// <summary>Returns the memory of the last message.</summary>
    public void Release() => _sink.Release();

    public void Dispose()
    {
        Stop();
        _sink.Release();
    }

    private DeflateStream Begin()
    {
        _sink.IsOpen = true;
        return _stream ??= new DeflateStream(_sink, options.Level, leaveOpen: true);
    }

    private bool TryEnd(long length, out ReadOnlySpan<byte> compressed)
    {
        _stream!.Flush();
        compressed = _sink.Written[..^TailLength];
        if (!forgets)
            return true; // what follows may refer to it
        Stop();
        return compressed.Length < length;
    }

    // The stream ends with a last block, which nobody wants.
    private void Stop()
    {
        _sink.IsOpen = false;
        _stream?.Dispose();
        _stream = null;
    }

    private sealed class Sink : Stream
    {
        private const int FirstSize = 4096;

        private byte[] _bytes = [];
        private int _length;

        public bool IsOpen { get; set; }

        public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public void Release()
        {
            if (_bytes.Length > 0)
                ArrayPool<byte>.Shared.Return(_bytes);
            (_bytes, _length) = ([], 0);
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (!IsOpen)
                return;
            if (_bytes.Length - _length < buffer.Length)
                Grow(_length + buffer.Length);
            buffer.CopyTo(_bytes.AsSpan(_length));
            _length += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private void Grow(int needed)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Math.Max(FirstSize, 2 * _bytes.Length)));
            Written.CopyTo(larger);
            if (_bytes.Length > 0)
                ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }
    }
}
