using System.Buffers;
using System.IO.Compression;
using Iris.Net.WebSockets;

namespace Iris.Net.Server;

/// <summary>Inflates the messages of one peer with the base library.</summary>
/// <param name="forgets">Whether each message stands by itself: then nothing is kept between two of them, and the end of each
/// is proven. Otherwise one that was cut off may be noticed by the next only.</param>
internal sealed class MessageInflater(bool forgets) : IMessageInflater
{
    private readonly Source _source = new();
    private DeflateStream? _stream;

    public Span<byte> Room => _source.Room;

    public void Take(int count) => _source.Fill(count);

    public void TakeEnd() => _source.Open(step: 1);

    public bool TryInflate(Span<byte> into, out int count)
    {
        count = 0;
        try
        {
            while (true)
            {
                count = Inflate(into, out bool hasEnded);
                if (!hasEnded)
                    return true;

                // A final block may end before the last byte (RFC 7692 section 7.2.3.4). Where one ends earlier, it is not told
                // what it left over.
                if (!_source.IsByByte)
                    return false;
                Stop();
            }
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    public bool TryEnd()
    {
        Span<byte> beyond = stackalloc byte[1];
        _source.Open(step: int.MaxValue);
        _source.Add([0x00, 0x00, 0xFF, 0xFF]); // RFC 7692 section 7.2.2
        bool isWhole = TryInflate(beyond, out int count) && count == 0 && (!forgets || IsAtBlock(beyond));
        if (forgets)
            Stop();
        _source.Close();
        return isWhole;
    }

    public void Dispose()
    {
        Stop();
        _source.Close();
    }

    // Only where the next block could begin, an empty final one ends the stream.
    private bool IsAtBlock(Span<byte> beyond)
    {
        _source.Add([0x03, 0x00]);
        try
        {
            return Inflate(beyond, out bool hasEnded) == 0 && hasEnded;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private int Inflate(Span<byte> into, out bool hasEnded)
    {
        _stream ??= new DeflateStream(_source, CompressionMode.Decompress, leaveOpen: true);
        _source.WasDry = false;
        int count = 0;
        try
        {
            count = _stream.Read(into);
        }
        catch (InvalidDataException) when (_source.WasDry)
        {
            // Where strict validation is switched on, a pause counts as a cut; what comes next goes on from here.
        }

        hasEnded = count == 0 && !_source.WasDry;
        return count;
    }

    private void Stop()
    {
        _stream?.Dispose();
        _stream = null;
    }

    /// <summary>What was taken. It holds the last bytes back, so that a final block can end between them.</summary>
    private sealed class Source : Stream
    {
        private const int Size = 4096, HeldBack = 2;

        private byte[] _bytes = [];
        private int _start;
        private int _end;
        private int _held = HeldBack;
        private int _step = int.MaxValue;

        public bool IsByByte => _step == 1;

        public bool WasDry { get; set; }

        public Span<byte> Room
        {
            get
            {
                if (_bytes.Length == 0)
                    _bytes = ArrayPool<byte>.Shared.Rent(Size);
                _bytes.AsSpan(_start.._end).CopyTo(_bytes);
                (_start, _end) = (0, _end - _start);
                return _bytes.AsSpan(_end);
            }
        }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public void Fill(int count) => _end += count;

        public void Add(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(Room);
            _end += bytes.Length;
        }

        public void Open(int step) => (_held, _step) = (0, step);

        public override void Close()
        {
            if (_bytes.Length > 0)
                ArrayPool<byte>.Shared.Return(_bytes);
            (_bytes, _start, _end, _held, _step) = ([], 0, 0, HeldBack, int.MaxValue);
        }

        public override int Read(Span<byte> buffer)
        {
            int count = Math.Min(Math.Min(buffer.Length, _step), Math.Max(0, _end - _start - _held));
            WasDry = count == 0;
            _bytes.AsSpan(_start, count).CopyTo(buffer);
            _start += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
