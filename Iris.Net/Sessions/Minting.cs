using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Iris.Net.Sessions;

/// <summary>Makes session ids and tokens: random, unless the host makes its own.</summary>
internal sealed class Minting(Func<string>? sessionId, Func<string>? token)
{
    private const int SessionIdSize = 16;
    private const int TokenSize = 32;
    private const int ShortNameSize = 5;

    /// <summary>The most characters that a token has.</summary>
    public const int MaxTokenLength = 512;

    private readonly RandomBytes _random = new();

    /// <summary>Whether the host makes tokens of its own.</summary>
    public bool MakesTokens => token is not null;

    /// <summary>A session's stable name.</summary>
    /// <exception cref="InvalidOperationException">The host made one that is empty or too long, or that no client could send.</exception>
    public string SessionId()
    {
        if (sessionId is not null)
            return Checked(sessionId(), Stores.SessionId.MaxLength, "session id");
        Span<byte> random = stackalloc byte[SessionIdSize];
        _random.Take(random);
        return Base64Url.EncodeToString(random);
    }

    /// <summary>A token in UTF-8.</summary>
    /// <exception cref="InvalidOperationException">The host made one that is empty or too long, or that no client could send.</exception>
    public byte[] Token()
    {
        if (token is not null)
            return Encoding.UTF8.GetBytes(Checked(token(), MaxTokenLength, "token"));
        Span<byte> random = stackalloc byte[TokenSize];
        _random.Take(random);
        return Base64Url.EncodeToUtf8(random);
    }

    /// <summary>Six random characters, to name an attempt or an error.</summary>
    public string ShortName()
    {
        Span<byte> random = stackalloc byte[ShortNameSize];
        _random.Take(random);
        return Base64Url.EncodeToString(random)[..6];
    }

    public byte[] Salt()
    {
        byte[] salt = new byte[16];
        _random.Take(salt);
        return salt;
    }

    private static string Checked(string minted, int max, string what) =>
        minted is { Length: > 0 } && minted.Length <= max && UnicodeText.IsWellFormed(minted) && !minted.Any(char.IsControl)
            ? minted
            : throw new InvalidOperationException($"A minted {what} has 1 to {max} characters, no control characters, and no lone surrogate.");

    /// <summary>Random bytes, fetched in blocks: a call to the system's generator costs more than what it brings.</summary>
    private sealed class RandomBytes
    {
        private const int BlockSize = 4096;

        private readonly Lock _gate = new();
        private readonly byte[] _block = new byte[BlockSize];
        private int _next = BlockSize;

        public void Take(Span<byte> to)
        {
            lock (_gate)
            {
                if (_next + to.Length > BlockSize)
                {
                    RandomNumberGenerator.Fill(_block);
                    _next = 0;
                }

                Span<byte> taken = _block.AsSpan(_next, to.Length);
                taken.CopyTo(to);
                taken.Clear();   // nothing that was handed out stays here
                _next += to.Length;
            }
        }
    }
}
