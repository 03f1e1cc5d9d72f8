using System.Buffers;

namespace Iris.Net.WebSockets;

/// <summary>The data message that a peer is sending, put together of its frames' payloads: unmasked, inflated, checked against
/// the limits and, where it is text, for UTF-8. Many follow one another.</summary>
/// <param name="limits">What the peer may send.</param>
/// <param name="inflater">Inflates what is compressed; null where that was not agreed on.</param>
internal struct IncomingMessage(MessageLimits limits, IMessageInflater? inflater)
{
    private const int PartSize = 64 * 1024; // in memory at one time, of a message that is handed out in parts

    private MessageBuffer _bytes;
    private Utf8Checker _utf8; // a valid text leaves it as it was
    private FrameHeader _frame;
    private long _frameRest;
    private Opcode _type = Opcode.Continuation;
    private long _length; // by the heads of its frames
    private int _fragments;
    private bool _isCompressed; // by its first frame
    private long _inflated;

    /// <summary>Whether a frame has begun that has not ended.</summary>
    public bool IsInFrame { get; private set; }

    /// <summary>Whether the frame that ended was the last.</summary>
    public readonly bool IsLastFrame => _frame.IsFinal;

    public readonly bool IsText => _type == Opcode.Text;

    /// <summary>Whether what was taken in is enough for a part.</summary>
    public readonly bool IsPartFull => _bytes.Length >= PartSize;

    /// <summary>Whether nothing was taken in, or all of it released.</summary>
    public readonly bool IsEmpty => _bytes.Length == 0;

    /// <summary>What was taken in; valid until <see cref="Release"/>.</summary>
    public readonly ReadOnlySequence<byte> Written => _bytes.Written;

    /// <summary>The limit that the peer broke.</summary>
    public MessageLimit Broken { get; private set; }

    /// <summary>Whether the frame comes in its place: a message's first names its type, the others do not (RFC 6455 section 5.4).</summary>
    public readonly bool IsNext(in FrameHeader frame) =>
        (frame.Opcode == Opcode.Continuation) == (_type != Opcode.Continuation);

    /// <summary>What a frame's head breaks, by its type and size.</summary>
    public WebSocketCloseCode? Judge(in FrameHeader frame)
    {
        bool continues = frame.Opcode == Opcode.Continuation;
        if (frame.Opcode == Opcode.Binary && !limits.AcceptBinary)
            return WebSocketCloseCode.UnsupportedData;
        if (frame.Length > (continues ? MostOf(_isCompressed) - _length : MostOf(frame.IsCompressed)))
            return Break(MessageLimit.MessageSize, WebSocketCloseCode.MessageTooBig);
        if (continues && _fragments >= limits.MaxFragments)
            return Break(MessageLimit.Fragments, WebSocketCloseCode.PolicyViolation);
        return null;
    }

    /// <summary>Begins a frame.</summary>
    public void Begin(in FrameHeader frame)
    {
        if (frame.Opcode != Opcode.Continuation)
        {
            _type = frame.Opcode;
            _length = 0;
            _fragments = 0;
            _isCompressed = frame.IsCompressed;
            _inflated = 0;
        }

        _length += frame.Length;
        _fragments++;
        _frame = frame;
        _frameRest = frame.Length;
        IsInFrame = true;
    }

    /// <summary>Drops the frame's payload as far as it came; true where that was its end.</summary>
    public bool TrySkip(ref SequenceReader<byte> input)
    {
        long count = Math.Min(_frameRest, input.Remaining);
        input.Advance(count);
        _frameRest -= count;
        IsInFrame = _frameRest > 0;
        if (!IsInFrame && _frame.IsFinal)
            _type = Opcode.Continuation;
        return !IsInFrame;
    }

    /// <summary>Takes in the frame's payload as far as it came. Where that is asked for it stops with a full part, which may be late
    /// where the message is compressed.</summary>
    /// <returns>What the payload breaks: mostly a text that is not UTF-8.</returns>
    public WebSocketCloseCode? Take(ref SequenceReader<byte> input, bool inParts)
    {
        while (_frameRest > 0 && !input.End && !(inParts && IsPartFull))
        {
            ReadOnlySpan<byte> available = input.UnreadSpan;
            ReadOnlySpan<byte> source = available[..(int)Math.Min(available.Length, _frameRest)];
            if (_isCompressed)
            {
                source = source[..Math.Min(source.Length, inflater!.Room.Length)];
                FrameMask.Copy(source, inflater.Room, _frame.MaskingKey, _frame.Length - _frameRest);
                inflater.Take(source.Length);
                if (Inflate() is { } broken)
                    return broken;
            }
            else
            {
                long most = _frame.IsFinal ? _bytes.Length + _frameRest : limits.MaxMessageSize;
                Span<byte> room = _bytes.Append(source.Length, most);
                source = source[..room.Length];
                FrameMask.Copy(source, room, _frame.MaskingKey, _frame.Length - _frameRest);
                if (IsText && !_utf8.TryAdvance(room))
                    return WebSocketCloseCode.InvalidPayload;
            }

            input.Advance(source.Length);
            _frameRest -= source.Length;
        }

        IsInFrame = _frameRest > 0;
        return null;
    }

    /// <summary>Ends the message with its last frame; another may begin.</summary>
    /// <returns>What it breaks as a whole.</returns>
    public WebSocketCloseCode? End()
    {
        WebSocketCloseCode? incomplete = _isCompressed ? EndCompressed() : null;
        _type = Opcode.Continuation;
        return incomplete ?? (_utf8.IsComplete ? null : WebSocketCloseCode.InvalidPayload);
    }

    /// <summary>Returns the memory of what was taken in.</summary>
    public void Release() => _bytes.Release();

    private WebSocketCloseCode Break(MessageLimit limit, WebSocketCloseCode code)
    {
        Broken = limit;
        return code;
    }

    // What cannot be compressed grows: by five bytes a stored block (RFC 1951 section 3.2.4), and blocks may be small.
    private readonly long MostOf(bool isCompressed) =>
        isCompressed ? limits.MaxMessageSize + limits.MaxMessageSize / 8 + 64 : limits.MaxMessageSize;

    private WebSocketCloseCode? EndCompressed()
    {
        if (_length == 0)
            return null; // what a compressor flushes that has nothing to say
        inflater!.TakeEnd();
        return Inflate() ?? (inflater.TryEnd() ? null : WebSocketCloseCode.InvalidPayload);
    }

    // Inflates what was taken, straight into the message; the byte that is too much is the only one beyond the limit.
    private WebSocketCloseCode? Inflate()
    {
        Span<byte> beyond = stackalloc byte[1];
        while (true)
        {
            long rest = limits.MaxMessageSize - _inflated;
            Span<byte> room = rest == 0 ? beyond : _bytes.Room(_bytes.Length + rest);
            if (!inflater!.TryInflate(room, out int count))
                return WebSocketCloseCode.InvalidPayload;
            if (count == 0)
                return null;
            if (rest == 0)
                return Break(MessageLimit.MessageSize, WebSocketCloseCode.MessageTooBig);
            _inflated += count;
            Span<byte> inflated = _bytes.Append(count, limits.MaxMessageSize);
            if (IsText && !_utf8.TryAdvance(inflated))
                return WebSocketCloseCode.InvalidPayload;
        }
    }
}
