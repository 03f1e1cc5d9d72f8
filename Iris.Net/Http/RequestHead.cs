using System.Buffers;

namespace Iris.Net.Http;

/// <summary>
/// The head of a request. A connection has one and fills it anew for each request; it keeps a rented copy of the head's
/// bytes, so that every span it gives is valid until <see cref="Clear"/>.
/// </summary>
internal sealed class RequestHead
{
    private byte[] _bytes = [];
    private RequestLine _line;

    public ReadOnlySpan<byte> Method => _bytes.AsSpan(0, _line.MethodLength);

    /// <summary>The request target as it was sent.</summary>
    public ReadOnlySpan<byte> Target => _bytes.AsSpan(_line.TargetStart, _line.TargetLength);

    public TargetForm Form => _line.Target.Form;

    /// <summary>The path as it was sent, percent-encoded; <c>*</c> in asterisk-form, empty in authority-form.</summary>
    public ReadOnlySpan<byte> Path => Form switch
    {
        TargetForm.Asterisk => "*"u8,
        TargetForm.Absolute when _line.Target.PathLength == 0 => "/"u8, // RFC 9110 section 4.2.3
        _ => Target.Slice(_line.Target.PathStart, _line.Target.PathLength),
    };

    /// <summary>The query as it was sent, without its question mark; empty where there is none.</summary>
    public ReadOnlySpan<byte> Query => Target.Slice(_line.Target.QueryStart, _line.Target.QueryLength);

    /// <summary>The authority of absolute-form and authority-form, empty in the others.</summary>
    public ReadOnlySpan<byte> TargetAuthority => Target.Slice(_line.Target.AuthorityStart, _line.Target.AuthorityLength);

    /// <summary>The value of Host; where HTTP/1.0 came without it, the target's authority, or nothing.</summary>
    public ReadOnlySpan<byte> Host => Headers.TryGet("host"u8, out ReadOnlySpan<byte> value) ? value : TargetAuthority;

    public ProtocolVersion Version => _line.Version;

    public HeaderList Headers { get; } = new();

    /// <summary>How many bytes the last read that asked for more was shown.</summary>
    internal long Examined { get; set; }

    /// <summary>At how many bytes the next read must come to a verdict even if no line ends.</summary>
    internal long DecidesAt { get; set; }

    /// <summary>Forgets the request and gives the memory back. The spans that were given are invalid from now on.</summary>
    public void Clear()
    {
        byte[] bytes = _bytes;
        _bytes = [];
        _line = default;
        Headers.Clear();
        Examined = 0;
        DecidesAt = 0;
        if (bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(bytes);
    }

    /// <summary>Takes over a rented array that starts with the request line.</summary>
    internal void Own(byte[] rented, in RequestLine line)
    {
        _bytes = rented;
        _line = line;
        Headers.Use(rented);
    }
}
