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
    private IncomingMessage _message = new(limits, inflater);
    private ControlFrameRate _controlFrames;
    private bool _isRead; // what the message holds was handed out

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
            if (!_message.IsInFrame)
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

                _message.Begin(header);
            }

            if (State != CloseState.Active)
            {
                if (_message.TrySkip(ref input))
                    continue;
                return WebSocketEvent.None;
            }

            var isText = _message.IsText;
            if (_message.Take(ref input, IsInParts) is { } broken)
                return Fail(ref input, broken);
            if (_message.IsInFrame)
                return IsInParts && _message.IsPartFull ? HandOut(isText, isLast: false) : WebSocketEvent.None;
            if (!_message.IsLastFrame)
            {
                if (IsInParts && !_message.IsEmpty)
                    return HandOut(isText, isLast: false);
                continue;
            }

            if (_message.End() is { } incomplete)
                return Fail(ref input, incomplete);
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

        if (!_message.IsNext(header))
            return WebSocketCloseCode.ProtocolError;
        return State == CloseState.Active ? _message.Judge(header) : null;
    }

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
            return Fail(ref input, WebSocketCloseCode.PolicyViolation, MessageLimit.ControlFrames);
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

    private WebSocketEvent Fail(ref SequenceReader<byte> input, WebSocketCloseCode code, MessageLimit? broken = null)
    {
        Broken = broken ?? _message.Broken;
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
