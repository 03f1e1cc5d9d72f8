using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Iris.Net.Tests.Conformance.Raw;

/// <summary>A status line and the fields after it, as they came.</summary>
internal sealed record RawHead(string StatusLine, IReadOnlyList<KeyValuePair<string, string>> Fields)
{
    public int Status { get; } = int.Parse(StatusLine.AsSpan("HTTP/1.1 ".Length, 3), NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>The field's value; null where there is none. A field that came twice fails the test.</summary>
    public string? this[string name]
    {
        get
        {
            string[] values = Fields.Where(field => field.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(field => field.Value).ToArray();
            Assert.That(values, Has.Length.LessThanOrEqualTo(1), $"field {name}");
            return values.FirstOrDefault();
        }
    }
}

/// <summary>A whole answer.</summary>
internal sealed record RawResponse(RawHead Head, byte[] Body)
{
    public int Status => Head.Status;

    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => JsonElement.Parse(Body);

    /// <summary>The session that a turn's reply is of, and its token.</summary>
    public (string Id, string Token) Session =>
        (Json.GetProperty("sessionId").GetString()!, Json.GetProperty("continuationToken").GetString()!);

    public string? this[string field] => Head[field];

    public override string ToString() => $"{Head.StatusLine} {Text}";
}
