using System.Text;

namespace Iris.Net.Tests.Conformance.Raw;

/// <summary>What stands between two blank lines of an event stream.</summary>
internal sealed record RawEvent(string Text)
{
    public string? Type => Field("event");

    public string? Data => Field("data");

    /// <summary>The field's value; null where there is none. One that stands twice fails the test: every event here is one
    /// line of data.</summary>
    public string? Field(string name)
    {
        string[] values = Text.Split('\n').Where(line => line.StartsWith(name + ": ", StringComparison.Ordinal)).ToArray();
        Assert.That(values, Has.Length.LessThanOrEqualTo(1), Text);
        return values.FirstOrDefault()?[(name.Length + 2)..];
    }
}

/// <summary>A chunked body that is an event stream, read as it comes.</summary>
internal sealed class RawEventStream(RawConnection connection)
{
    private byte[] _bytes = [];
    private int _taken;

    public bool HasEnded { get; private set; }

    /// <summary>The next event; null at the end of the body. A body that ends inside an event fails the test.</summary>
    public async Task<RawEvent?> NextAsync()
    {
        int end;
        while ((end = _bytes.AsSpan(_taken).IndexOf("\n\n"u8)) < 0)
        {
            if (HasEnded)
            {
                Assert.That(_bytes.Length - _taken, Is.Zero, "the body ends after an event");
                return null;
            }

            byte[] chunk = await connection.ReadChunkAsync();
            HasEnded = chunk.Length == 0;
            (_bytes, _taken) = ([.. _bytes.AsSpan(_taken), .. chunk], 0);
        }

        RawEvent next = new(Encoding.UTF8.GetString(_bytes, _taken, end));
        _taken += end + 2;
        return next;
    }
}
