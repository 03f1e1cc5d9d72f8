using System.Security.Cryptography;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>A token, and what a head keeps of it.</summary>
/// <param name="Token">The token in UTF-8, as the client gets it.</param>
/// <param name="Guard">What the store compares.</param>
/// <param name="Sealed">The token sealed, where it cannot be derived again.</param>
internal readonly record struct MintedToken(ReadOnlyMemory<byte> Token, ReadOnlyMemory<byte> Guard, ReadOnlyMemory<byte> Sealed = default);

/// <summary>The continuation tokens of a channel's sessions. No clear token is ever handed to a store that outlives the process.</summary>
internal abstract class Tokens
{
    /// <summary>The token that a session has after some committed client turns.</summary>
    /// <exception cref="InvalidOperationException">The host made one that no client could send.</exception>
    public abstract MintedToken Mint(SessionId id, ReadOnlyMemory<byte> salt, long clientTurns);

    /// <summary>What a store compares with a head's guard.</summary>
    public abstract ReadOnlyMemory<byte> GuardOf(ReadOnlyMemory<byte> presented);

    /// <summary>The token that continues a session, in UTF-8; false where no key of the channel gives it, and nothing opens the
    /// session.</summary>
    public abstract bool TryGetCurrent(SessionId id, SessionHead head, out ReadOnlyMemory<byte> token);

    /// <summary>The same where a claim has shown that there is one.</summary>
    public ReadOnlyMemory<byte> CurrentOf(SessionId id, SessionHead head) => TryGetCurrent(id, head, out ReadOnlyMemory<byte> token) ? token : default;

    /// <summary>Random tokens, kept as they are.</summary>
    public sealed class InClear(Minting minting) : Tokens
    {
        public override MintedToken Mint(SessionId id, ReadOnlyMemory<byte> salt, long clientTurns)
        {
            byte[] token = minting.Token();
            return new(token, token);
        }

        public override ReadOnlyMemory<byte> GuardOf(ReadOnlyMemory<byte> presented) => presented;

        public override bool TryGetCurrent(SessionId id, SessionHead head, out ReadOnlyMemory<byte> token)
        {
            token = head.Guard;
            return true;
        }
    }

    /// <summary>Tokens that follow from the journal and the channel's key, so that a commit is the rotation; those that the host
    /// makes are kept sealed.</summary>
    public sealed class Derived(Minting minting, ChannelKeys keys) : Tokens
    {
        public override MintedToken Mint(SessionId id, ReadOnlyMemory<byte> salt, long clientTurns)
        {
            byte[] token = minting.MakesTokens ? minting.Token() : keys.Current.ForToken(id.Value, salt.Span, clientTurns);
            return new(token, SHA256.HashData(token), minting.MakesTokens ? keys.Current.Seal(token, id.Value) : default);
        }

        public override ReadOnlyMemory<byte> GuardOf(ReadOnlyMemory<byte> presented) =>
            presented.IsEmpty ? presented : SHA256.HashData(presented.Span);

        public override bool TryGetCurrent(SessionId id, SessionHead head, out ReadOnlyMemory<byte> token)
        {
            foreach (ChannelKey key in keys.All)
            {
                byte[]? candidate = head.Sealed.IsEmpty
                    ? key.ForToken(id.Value, head.Salt.Span, head.ClientTurns)
                    : key.Open(head.Sealed.Span, id.Value);
                if (candidate is null || !head.Guard.Span.SequenceEqual(SHA256.HashData(candidate)))
                    continue;
                token = candidate;
                return true;
            }

            token = default;
            return false;
        }
    }
}
