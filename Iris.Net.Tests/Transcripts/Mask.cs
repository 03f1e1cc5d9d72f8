using System.Text.RegularExpressions;

namespace Iris.Net.Tests.Transcripts;

/// <summary>What differs from run to run, by name: a transcript says <c>{uuid}</c> where an id or token is new,
/// <c>{session}</c> and <c>{token}</c> where it is the one that the client holds.</summary>
internal sealed partial class Mask
{
    private string? _session;
    private string? _token;
    private string? _spent;

    /// <summary>What the client sends: with the ids and tokens that it holds.</summary>
    public string Fill(string text) => text
        .Replace("{session}", _session, StringComparison.Ordinal)
        .Replace("{token}", _token, StringComparison.Ordinal)
        .Replace("{spent}", _spent, StringComparison.Ordinal);

    /// <summary>What the client got: the client takes over the ids and tokens in it.</summary>
    public string Cover(string text)
    {
        string covered = Sequence().Replace(text, "\"seq\":{seq}");
        covered = Time().Replace(covered, "\"ts\":{ts}");
        covered = Digest().Replace(covered, "\"defDigest\":\"{digest}\"");
        covered = Key().Replace(covered, "\"idempotencyKey\":\"{key}\"");
        covered = Effect().Replace(covered, "\"effectId\":\"$1:{seq}\"");
        covered = Session().Replace(covered, match => $"\"sessionId\":\"{(Learn(ref _session, match) ? "{uuid}" : "{session}")}\"");
        return Token().Replace(covered, match =>
        {
            string? before = _token;
            if (!Learn(ref _token, match))
                return "\"continuationToken\":\"{token}\"";
            _spent = before;
            return "\"continuationToken\":\"{uuid}\"";
        });
    }

    private static bool Learn(ref string? known, Match match)
    {
        string value = match.Groups[1].Value;
        bool isNew = value != known;
        known = value;
        return isNew;
    }

    [GeneratedRegex("\"seq\":[0-9]+")]
    private static partial Regex Sequence();

    [GeneratedRegex("\"ts\":[0-9]+")]
    private static partial Regex Time();

    [GeneratedRegex("\"defDigest\":\"[0-9a-f]{16}\"")]
    private static partial Regex Digest();

    [GeneratedRegex("\"idempotencyKey\":\"[^\"]+\"")]
    private static partial Regex Key();

    [GeneratedRegex("\"effectId\":\"([a-z]+):[0-9]+\"")]
    private static partial Regex Effect();

    [GeneratedRegex("\"sessionId\":\"([A-Za-z0-9_-]+)\"")]
    private static partial Regex Session();

    [GeneratedRegex("\"continuationToken\":\"([A-Za-z0-9_-]+)\"")]
    private static partial Regex Token();
}
