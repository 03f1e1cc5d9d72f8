namespace Iris.Net.Http;

/// <summary>
/// <c>chunk-size *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) CRLF</c>, RFC 9112 sections 7.1 and 7.1.1,
/// fed byte by byte.
/// </summary>
internal struct ChunkSizeLine
{
    private const int MaxDigits = 16;

    private State _state;
    private int _digits;

    private enum State
    {
        Size,
        BeforeSemicolon,
        BeforeName,
        Name,
        AfterName,
        BeforeValue,
        Value,
        Quoted,
        QuotedPair,
        AfterQuoted,
        LineFeed,
        Ended,
    }

    /// <summary>The size that was read so far, in bytes.</summary>
    public long Size { get; private set; }

    public readonly bool IsEnded => _state == State.Ended;

    public RejectionReason Take(byte value)
    {
        if (_state == State.Size && Grammar.HexValue(value) is var digit and >= 0)
            return TakeDigit(digit);
        State next = Next(value);
        if (next is State.BeforeSemicolon or State.BeforeName or State.LineFeed && _digits == 0)
            return RejectionReason.InvalidChunkSize;
        if (next == State.Size)
            return ReasonOf(value);
        _state = next;
        return RejectionReason.None;
    }

    // The state after a byte; Size stands for a byte that is not allowed.
    private readonly State Next(byte value) => _state switch
    {
        State.Size or State.AfterQuoted => AfterPart(value, State.Size),
        State.BeforeSemicolon => value switch
        {
            (byte)' ' or (byte)'\t' => State.BeforeSemicolon,
            (byte)';' => State.BeforeName,
            _ => State.Size,
        },
        State.BeforeName => Grammar.IsWhiteSpace(value) ? State.BeforeName
            : Grammar.TokenCharacters.Contains(value) ? State.Name : State.Size,
        State.Name => value switch
        {
            (byte)'=' => State.BeforeValue,
            (byte)' ' or (byte)'\t' => State.AfterName,
            _ => AfterPart(value, Grammar.TokenCharacters.Contains(value) ? State.Name : State.Size),
        },
        State.AfterName => value switch
        {
            (byte)' ' or (byte)'\t' => State.AfterName,
            (byte)'=' => State.BeforeValue,
            (byte)';' => State.BeforeName,
            _ => State.Size,
        },
        State.BeforeValue => value == '"' ? State.Quoted
            : Grammar.IsWhiteSpace(value) ? State.BeforeValue
            : Grammar.TokenCharacters.Contains(value) ? State.Value : State.Size,
        State.Value => AfterPart(value, Grammar.TokenCharacters.Contains(value) ? State.Value : State.Size),
        State.Quoted => value switch
        {
            (byte)'"' => State.AfterQuoted,
            (byte)'\\' => State.QuotedPair,
            _ => Grammar.ControlCharacters.Contains(value) ? State.Size : State.Quoted,
        },
        State.QuotedPair => Grammar.ControlCharacters.Contains(value) ? State.Size : State.Quoted,
        _ => value == '\n' ? State.Ended : State.Size,
    };

    private static State AfterPart(byte value, State otherwise) => value switch
    {
        (byte)';' => State.BeforeName,
        (byte)' ' or (byte)'\t' => State.BeforeSemicolon,
        (byte)'\r' => State.LineFeed,
        _ => otherwise,
    };

    private readonly RejectionReason ReasonOf(byte value) => _state switch
    {
        State.LineFeed => RejectionReason.BareCarriageReturn,
        _ when value == '\n' => RejectionReason.BareLineFeed,
        State.Size => RejectionReason.InvalidChunkSize,
        _ => RejectionReason.InvalidChunkExtension,
    };

    private RejectionReason TakeDigit(int digit)
    {
        if (_digits++ == MaxDigits || Size > long.MaxValue >> 4)
            return RejectionReason.InvalidChunkSize;
        Size = Size << 4 | (long)digit;
        return RejectionReason.None;
    }
}
