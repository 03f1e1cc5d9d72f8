using System.Buffers;

namespace Iris.Net.WebSockets;

/// <summary>
/// One connection's state as a server has it (RFC 6455): fed with bytes, it yields events and writes what it has to answer.
/// Not safe for use by several threads at once.
/// </summary>
/// <param name="limits">What the peer may send.</param>
/// <param name="inflater">Inflates what the peer compresses; null where that was not agreed on. It is disposed with this.</param>
internal sealed class WebSocketProtocol(MessageLimits limits, IMessageInflater? inflater = null) : IDisposable
{
    private const int PartSize = 64 * 1024; // of a message in parts, in memory at one time

    private MessageBuffer _message;
    private Utf8Checker _utf8; // a valid text leaves it as it was
    private ControlFrameRate _controlFrames;
    private FrameHeader _frame;
    private long _frameRest;
    private bool _inFrame;
    private Opcode _messageType; // Continuation where no message has begun
    private long _messageLength; // by the heads of its frames
    private int _fragments;
    private bool _isRead;        // what the buffer holds was handed out
    private bool _isCompressed; // the message, by its first frame
    private long _inflated;

    /// <summary>How far the closing handshake is.</summary>
    public CloseState State { get; private set; }

    /// <summary>Whether our one close frame is written: no frame may follow it.</summary>
    public bool IsCloseWritten { get; private set; }

    /// <summary>After <see cref="WebSocketEvent.Close"/> the peer's code, after a failure the one that it is told.</summary>
    public WebSocketCloseCode CloseCode { get; private set; } = WebSocketCloseCode.AbnormalClosure;

    /// <summary>After a failure, the limit that the peer broke.</summary>
    public MessageLimit Broken { get; private set; }

    /// <summary>The peer's reason, empty where it gave none.</summary>
    public string CloseReason { get; private set; } = "";

    /// <summary>
    /// The message after <see cref="WebSocketEvent.TextMessage"/> or <see cref="WebSocketEvent.BinaryMessage"/>, or its next part
    /// after <see cref="WebSocketEvent.TextPart"/> or <see cref="WebSocketEvent.BinaryPart"/>; valid until the next read,
    /// <see cref="ReleaseMessage"/> or <see cref="Dispose"/>.
    /// </summary>
    public ReadOnlySequence<byte> Message => _message.Written;

    /// <summary>Whether messages are handed out in parts: with each frame's end, and within a large frame.</summary>
    public bool IsInParts { get; set; }

    /// <summary>Whether a part was handed out, and the message has not ended.</summary>
    public bool IsBetweenParts { get; private set; }

    /// <summary>
    /// Reads up to the next event. What belongs to an unfinished message is taken in; an unfinished head or control frame is
    /// left in the input and must be there at the next call, with more behind it.
    /// </summary>
    /// <param name="input">What the peer sent. After a close or a failure all of it is skipped.</param>
    /// <param name="replies">Where a ping's pong is written. A close is not: it waits for <see cref="WriteClose"/>.</param>
    /// <param name="now">The time in milliseconds, from any origin, never going back.</param>
    public WebSocketEvent Read(ref SequenceReader<byte> input, IBufferWriter<byte> replies, long now)
    {
        ReleaseMessage();
        while (State is CloseState.Active or CloseState.ClosedByUs)
        {
            if (!_inFrame)
            {
                var start = input.Consumed;
                var status = FrameHeader.TryRead(ref input, out var header, mayCompress: inflater is not null);
                if (status == OperationStatus.NeedMoreData)
                    return WebSocketEvent.None;
                if ((status == OperationStatus.InvalidData ? WebSocketCloseCode.ProtocolError : Judge(header)) is { } refusal)
                    return Fail(ref input, refusal);

                if (header.IsControl)
                {
                    if (input.Remaining >= header.Length)
                        return ReadControl(ref input, header, replies, now);
                    input.Rewind(input.Consumed - start);
                    return WebSocketEvent.None;
                }

                BeginFrame(header);
            }

            var isText = _messageType == Opcode.Text;
            if (ReadPayload(ref input, isText) is { } broken)
                return Fail(ref input, broken);
            if (_frameRest > 0)
            {
                if (IsInParts && _message.Length >= PartSize)
                    return HandOut(isText, isLast: false);
                return WebSocketEvent.None;
            }

            _inFrame = false;
            if (!_frame.IsFinal)
            {
                if (IsInParts && _message.Length > 0)
                    return HandOut(isText, isLast: false);
                continue;
            }

            _messageType = Opcode.Continuation;
            if (State != CloseState.Active)
                continue;
            if (_isCompressed && EndCompressed(isText) is { } incomplete)
                return Fail(ref input, incomplete);
            if (!_utf8.IsComplete)
                return Fail(ref input, WebSocketCloseCode.InvalidPayload);
            return HandOut(isText, isLast: true);
        }

        input.AdvanceToEnd();
        return WebSocketEvent.None;
    }

    /// <summary>
    /// Writes our close frame, once: the answer to the peer's or the code of its failure where one of them is due, otherwise
    /// what is given. False where it was written before.
    /// </summary>
    /// <exception cref="ArgumentException">The code may not be sent, or the reason is not text or too long.</exception>
    public bool WriteClose(
        IBufferWriter<byte> output,
        WebSocketCloseCode code = WebSocketCloseCode.NormalClosure,
        ReadOnlySpan<char> reason = default)
    {
        if (IsCloseWritten)
            return false;

        if (State == CloseState.Active)
        {
            CloseFrame.Write(output, code, reason);
            State = CloseState.ClosedByUs;
        }
        else
        {
            CloseFrame.Write(output, CloseCode); // RFC 6455 section 5.5.1: typically echoes the status code
            if (State == CloseState.ClosedByPeer)
                State = CloseState.CloseAcknowledged;
        }

        IsCloseWritten = true;
        return true;
    }

    /// <summary>Returns the memory of a message that was read and is no longer needed, before the next read does.</summary>
    public void ReleaseMessage()
    {
        if (_isRead || State != CloseState.Active)
            _message.Release();
        _isRead = false;
    }

    /// <summary>Returns all memory, also that of an unfinished message; nothing is read any more.</summary>
    public void Dispose()
    {
        State = CloseState.Terminated;
        IsCloseWritten = true;
        _message.Release();
        inflater?.Dispose();
    }

    // What a well-formed head breaks here: first the framing, then the rules of this endpoint.
    private WebSocketCloseCode? Judge(in FrameHeader header)
    {
        if (!header.IsMasked) // RFC 6455 section 5.1
            return WebSocketCloseCode.ProtocolError;
        if (header.IsControl)
            return null;

        // RFC 6455 section 5.4: a message's first frame names its type, the others do not.
        var continues = header.Opcode == Opcode.Continuation;
        if (continues != (_messageType != Opcode.Continuation))
            return WebSocketCloseCode.ProtocolError;
        if (State != CloseState.Active)
            return null;
        if (header.Opcode == Opcode.Binary && !limits.AcceptBinary)
            return WebSocketCloseCode.UnsupportedData;
        if (header.Length > (continues ? MostOf(_isCompressed) - _messageLength : MostOf(header.IsCompressed)))
            return Break(MessageLimit.MessageSize, WebSocketCloseCode.MessageTooBig);
        if (continues && _fragments >= limits.MaxFragments)
            return Break(MessageLimit.Fragments, WebSocketCloseCode.PolicyViolation);
        return null;
    }

    private WebSocketCloseCode Break(MessageLimit limit, WebSocketCloseCode code)
    {
        Broken = limit;
        return code;
    }

    private void BeginFrame(in FrameHeader header)
    {
        if (header.Opcode != Opcode.Continuation)
        {
            _messageType = header.Opcode;
            _messageLength = 0;
            _fragments = 0;
            _isCompressed = header.IsCompressed;
            _inflated = 0;
        }

        _messageLength += header.Length;
        _fragments++;
        _frame = header;
        _frameRest = header.Length;
        _inFrame = true;
    }

    // What cannot be compressed grows: by five bytes a stored block (RFC 1951 section 3.2.4), and blocks may be small.
    private long MostOf(bool isCompressed) =>
        isCompressed ? limits.MaxMessageSize + limits.MaxMessageSize / 8 + 64 : limits.MaxMessageSize;

    private WebSocketEvent HandOut(bool isText, bool isLast)
    {
        _isRead = true;
        IsBetweenParts = !isLast;
        return (isText, isLast) switch
        {
            (true, true) => WebSocketEvent.TextMessage,
            (true, false) => WebSocketEvent.TextPart,
            (false, true) => WebSocketEvent.BinaryMessage,
            (false, false) => WebSocketEvent.BinaryPart,
        };
    }

    // What the payload breaks: mostly a text that is not UTF-8. Stops where a part is full, which may be late where it is compressed.
    private WebSocketCloseCode? ReadPayload(ref SequenceReader<byte> input, bool isText)
    {
        while (_frameRest > 0 && !input.End && !(IsInParts && _message.Length >= PartSize))
        {
            var available = input.UnreadSpan;
            var source = available[..(int)Math.Min(available.Length, _frameRest)];
            if (State == CloseState.Active && _isCompressed)
            {
                source = source[..Math.Min(source.Length, inflater!.Room.Length)];
                FrameMask.Copy(source, inflater.Room, _frame.MaskingKey, _frame.Length - _frameRest);
                inflater.Take(source.Length);
                if (Inflate(isText) is { } broken)
                    return broken;
            }
            else if (State == CloseState.Active)
            {
                var most = _frame.IsFinal ? _message.Length + _frameRest : limits.MaxMessageSize;
                var room = _message.Append(source.Length, most);
                source = source[..room.Length];
                FrameMask.Copy(source, room, _frame.MaskingKey, _frame.Length - _frameRest);
                if (isText && !_utf8.TryAdvance(room))
                    return WebSocketCloseCode.InvalidPayload;
            }

            input.Advance(source.Length);
            _frameRest -= source.Length;
        }

        return null;
    }

    private WebSocketCloseCode? EndCompressed(bool isText)
    {
        if (_messageLength == 0)
            return null; // what a compressor flushes that has nothing to say
        inflater!.TakeEnd();
        return Inflate(isText) ?? (inflater.TryEnd() ? null : WebSocketCloseCode.InvalidPayload);
    }

    // Inflates what was taken, straight into the message; the byte that is too much is the only one beyond the limit.
    private WebSocketCloseCode? Inflate(bool isText)
    {
        Span<byte> beyond = stackalloc byte[1];
        while (true)
        {
            var rest = limits.MaxMessageSize - _inflated;
            var room = rest == 0 ? beyond : _message.Room(_message.Length + rest);
            if (!inflater!.TryInflate(room, out var count))
                return WebSocketCloseCode.InvalidPayload;
            if (count == 0)
                return null;
            if (rest == 0)
                return Break(MessageLimit.MessageSize, WebSocketCloseCode.MessageTooBig);
            _inflated += count;
            var inflated = _message.Append(count, limits.MaxMessageSize);
            if (isText && !_utf8.TryAdvance(inflated))
                return WebSocketCloseCode.InvalidPayload;
        }
    }

    private WebSocketEvent ReadControl(
        ref SequenceReader<byte> input, in FrameHeader header, IBufferWriter<byte> replies, long now)
    {
        Span<byte> masked = stackalloc byte[FrameHeader.MaxControlLength];
        Span<byte> payload = stackalloc byte[FrameHeader.MaxControlLength];
        masked = masked[..(int)header.Length];
        payload = payload[..masked.Length];
        input.TryCopyTo(masked);
        input.Advance(masked.Length);
        FrameMask.Copy(masked, payload, header.MaskingKey, offset: 0);

        if (header.Opcode == Opcode.Close)
            return ReadClose(ref input, payload);
        if (!_controlFrames.TryCount(limits, now))
            return Fail(ref input, Break(MessageLimit.ControlFrames, WebSocketCloseCode.PolicyViolation));
        if (header.Opcode == Opcode.Pong)
            return WebSocketEvent.Pong;
        if (!IsCloseWritten)
            FrameWriter.Write(replies, Opcode.Pong, payload);
        return WebSocketEvent.Ping;
    }

    private WebSocketEvent ReadClose(ref SequenceReader<byte> input, scoped ReadOnlySpan<byte> payload)
    {
        if (CloseFrame.Judge(payload, out var code, out var reason) is { } refusal)
            return Fail(ref input, refusal);

        End(ref input, IsCloseWritten ? CloseState.CloseAcknowledged : CloseState.ClosedByPeer, code);
        CloseReason = reason;
        return WebSocketEvent.Close;
    }

    private WebSocketEvent Fail(ref SequenceReader<byte> input, WebSocketCloseCode code)
    {
        End(ref input, CloseState.Terminated, code);
        return WebSocketEvent.Failed;
    }

    private void End(ref SequenceReader<byte> input, CloseState state, WebSocketCloseCode code)
    {
        State = state;
        CloseCode = code;
        _message.Release();
        input.AdvanceToEnd();
    }
}
