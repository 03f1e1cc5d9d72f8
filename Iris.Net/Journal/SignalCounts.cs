using System.Text.Json;

namespace Iris.Net.Journal;

/// <summary>How many signals of each name a session consumed, and which was the last: what a head keeps as
/// <see cref="SessionHead.Signals"/>.</summary>
internal sealed class SignalCounts
{
    private readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);
    private string? _last;
    private byte[] _digest = [];

    /// <summary>Reads what <see cref="After"/> wrote; there was none where it is empty.</summary>
    public SignalCounts(ReadOnlyMemory<byte> json)
    {
        if (json.IsEmpty)
            return;
        JsonElement counts = JsonText.Parse(json);
        foreach (JsonProperty name in counts.GetProperty("counts"u8).EnumerateObject())
            _counts[name.Name] = name.Value.GetInt64();
        _last = counts.GetProperty("last"u8).GetString();
        _digest = counts.GetProperty("digest"u8).GetBytesFromBase64();
    }

    /// <summary>How many of a name.</summary>
    public long Of(string name) => _counts.GetValueOrDefault(name);

    /// <summary>Whether the last one had this name and this payload.</summary>
    public bool WasLast(string name, ReadOnlySpan<byte> digest) => _last == name && digest.SequenceEqual(_digest);

    /// <summary>The same with one more.</summary>
    public ReadOnlyMemory<byte> After(AcceptedSignal signal)
    {
        _counts[signal.Name] = Of(signal.Name) + 1;
        (_last, _digest) = (signal.Name, AcceptedSignal.DigestOf(signal.Payload));
        return JsonText.Object(json =>
        {
            json.WriteStartObject("counts"u8);
            foreach ((string name, long count) in _counts)
                json.WriteNumber(name, count);
            json.WriteEndObject();
            json.WriteString("last"u8, _last);
            json.WriteBase64String("digest"u8, _digest);
        });
    }
}
