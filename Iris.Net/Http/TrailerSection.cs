namespace Iris.Net.Http;

/// <summary>
/// <c>trailer-section CRLF</c> with <c>trailer-section = *( field-line CRLF )</c>, RFC 9112 section 7.1.2, fed byte by byte.
/// </summary>
internal struct TrailerSection
{
    private State _state;
    private int _size;
    private int _count;

    private enum State
    {
        LineStart,
        Name,
        Value,
        LineFeed,
        LastLineFeed,
        Ended,
    }

    public readonly bool IsEnded => _state == State.Ended;

    public RejectionReason Take(byte value, ChunkedLimits limits)
    {
        bool endsSection = _state == State.LastLineFeed || (_state == State.LineStart && value == '\r');
        if (!endsSection)
        {
            if (_state == State.LineStart && _count++ == limits.TrailerCount)
                return RejectionReason.TooManyHeaders;
            if (_size++ == limits.TrailersTotal)
                return RejectionReason.HeadersTooLarge;
        }
        switch (_state)
        {
            case State.LineStart:
                _state = value == '\r' ? State.LastLineFeed : State.Name;
                return value switch
                {
                    (byte)'\r' => RejectionReason.None,
                    (byte)' ' or (byte)'\t' => RejectionReason.FoldedFieldLine,
                    _ => JudgeNameByte(value),
                };
            case State.Name:
                if (value != ':')
                    return JudgeNameByte(value);
                _state = State.Value;
                return RejectionReason.None;
            case State.Value:
                if (value == '\r')
                    _state = State.LineFeed;
                else if (Grammar.ControlCharacters.Contains(value))
                    return value == '\n' ? RejectionReason.BareLineFeed : RejectionReason.InvalidFieldValue;
                return RejectionReason.None;
            default:
                _state = _state == State.LineFeed ? State.LineStart : State.Ended;
                return value == '\n' ? RejectionReason.None : RejectionReason.BareCarriageReturn;
        }
    }

    private static RejectionReason JudgeNameByte(byte value)
    {
        if (Grammar.TokenCharacters.Contains(value))
            return RejectionReason.None;
        return value == '\n' ? RejectionReason.BareLineFeed : RejectionReason.InvalidFieldName;
    }
}
