using System.Buffers;

namespace Iris.Net.Http;

/// <summary>
/// <c>chunked-body = *chunk last-chunk trailer-section CRLF</c>, RFC 9112 section 7.1. Fed with bytes as they come, it
/// consumes all that it understands; the data goes to the caller's buffer. Trailers are judged and dropped: none is
/// merged into the fields of a head (RFC 9110 section 6.5.1).
/// </summary>
internal sealed class ChunkedReader(ChunkedLimits limits)
{
    private State _state;
    private ChunkSizeLine _sizeLine;
    private TrailerSection _trailers;
    private int _overhead;
    private long _left;

    private enum State
    {
        SizeLine,
        Data,
        DataEndCr,
        DataEndLf,
        Trailers,
        Ended,
    }

    /// <summary>How many bytes of data all chunks that were announced so far have together.</summary>
    public long BodyLength { get; private set; }

    /// <summary>Ready for the next body.</summary>
    public void Reset()
    {
        _state = State.SizeLine;
        _sizeLine = default;
        _trailers = default;
        _overhead = 0;
        _left = 0;
        BodyLength = 0;
    }

    /// <summary>Reads on.</summary>
    /// <param name="input">Advanced behind all that was understood; behind the body's last byte when done.</param>
    /// <param name="body">Takes the data; null drops it.</param>
    /// <param name="maxBody">The most bytes of data; a chunk that announces more is refused before its data is read.</param>
    /// <param name="why">The reason for invalid data. After it nothing more of the connection may be read.</param>
    public OperationStatus Read(
        ref SequenceReader<byte> input, IBufferWriter<byte>? body, long maxBody, out RejectionReason why)
    {
        why = RejectionReason.None;
        while (_state != State.Ended)
        {
            if (_state == State.Data)
            {
                TakeData(ref input, body);
                if (_left > 0)
                    return OperationStatus.NeedMoreData;
                _state = State.DataEndCr;
            }
            if (!input.TryRead(out byte value))
                return OperationStatus.NeedMoreData;
            why = Take(value, maxBody);
            if (why != RejectionReason.None)
                return OperationStatus.InvalidData;
        }
        return OperationStatus.Done;
    }

    private RejectionReason Take(byte value, long maxBody)
    {
        switch (_state)
        {
            case State.SizeLine:
                return TakeOfSizeLine(value, maxBody);
            case State.DataEndCr:
                _state = State.DataEndLf;
                return value == '\r' ? RejectionReason.None : RejectionReason.MissingChunkEnd;
            case State.DataEndLf:
                _state = State.SizeLine;
                return value == '\n' ? RejectionReason.None : RejectionReason.MissingChunkEnd;
            default:
                RejectionReason why = _trailers.Take(value, limits);
                if (_trailers.IsEnded)
                    _state = State.Ended;
                return why;
        }
    }

    private RejectionReason TakeOfSizeLine(byte value, long maxBody)
    {
        if (_overhead++ == limits.Overhead)
            return RejectionReason.ChunkOverheadTooLarge;
        RejectionReason why = _sizeLine.Take(value);
        if (why != RejectionReason.None || !_sizeLine.IsEnded)
            return why;
        _left = _sizeLine.Size;
        _sizeLine = default;
        if (_left > maxBody - BodyLength)
            return RejectionReason.BodyTooLarge;
        BodyLength += _left;
        _state = _left == 0 ? State.Trailers : State.Data;
        return RejectionReason.None;
    }

    private void TakeData(ref SequenceReader<byte> input, IBufferWriter<byte>? body)
    {
        while (_left > 0 && !input.End)
        {
            ReadOnlySpan<byte> data = input.UnreadSpan;
            if (data.Length > _left)
                data = data[..(int)_left];
            body?.Write(data);
            input.Advance(data.Length);
            _left -= data.Length;
        }
    }
}
