using System.Text;
using Iris.Net.Sse;
using Iris.Net.Tests.Http;

namespace Iris.Net.Tests.Sse;

public class EventStreamWriterTests
{
    [TestCase("step", "{\"type\":\"step\"}", "1.2", "event: step\ndata: {\"type\":\"step\"}\nid: 1.2\n\n")]
    [TestCase("", "x", "", "data: x\n\n")]
    [TestCase("", "", "", "data: \n\n")]
    [TestCase("", " x ", "", "data:  x \n\n")]
    [TestCase("", "a\nb", "", "data: a\ndata: b\n\n")]
    [TestCase("", "a\rb", "", "data: a\ndata: b\n\n")]
    [TestCase("", "a\r\nb", "", "data: a\ndata: b\n\n")]
    [TestCase("", "a\n\rb", "", "data: a\ndata: \ndata: b\n\n")]
    [TestCase("", "a\r\r\nb", "", "data: a\ndata: \ndata: b\n\n")]
    [TestCase("", "a\n\nb", "", "data: a\ndata: \ndata: b\n\n")]
    [TestCase("", "a\n", "", "data: a\ndata: \n\n")]
    [TestCase("", "\n\nevent: forged\nid: 9", "", "data: \ndata: \ndata: event: forged\ndata: id: 9\n\n")]
    [TestCase("", "a\rid: 9\r\r", "", "data: a\ndata: id: 9\ndata: \ndata: \n\n")]
    [TestCase("", "\u00fc\u2028\u0085", "", "data: \u00fc\u2028\u0085\n\n")]
    public void Frames(string type, string data, string id, string expected)
    {
        var output = new TightWriter();
        EventStreamWriter.Write(output, Utf8(type), Utf8(data), Utf8(id));
        Assert.That(Encoding.UTF8.GetString(output.Written), Is.EqualTo(expected));
    }

    [Test]
    public void Lines_of_their_own()
    {
        var output = new TightWriter();
        EventStreamWriter.WriteRetry(output, 2000);
        EventStreamWriter.WriteId(output, "1.0"u8);
        EventStreamWriter.WriteEnd(output);
        EventStreamWriter.WriteComment(output, ""u8);
        EventStreamWriter.WriteComment(output, "a\ndata: forged\r\n\r\nb"u8);
        EventStreamWriter.WriteEnd(output);
        EventStreamWriter.WriteId(output, ""u8);
        EventStreamWriter.WriteRetry(output, int.MaxValue);
        Assert.That(Encoding.UTF8.GetString(output.Written), Is.EqualTo(
            "retry: 2000\nid: 1.0\n\n: \n: a\n: data: forged\n: \n: b\n\nid: \nretry: 2147483647\n"));
    }

    [TestCase("a\nb")]
    [TestCase("a\r")]
    [TestCase("\n")]
    public void A_type_or_id_with_a_line_end_is_our_own_mistake(string text)
    {
        Assert.That(() => EventStreamWriter.WriteEvent(new TightWriter(), Utf8(text)), Throws.ArgumentException);
        Assert.That(() => EventStreamWriter.WriteId(new TightWriter(), Utf8(text)), Throws.ArgumentException);
    }

    [Test]
    public void An_id_that_readers_would_ignore_is_our_own_mistake() =>
        Assert.That(() => EventStreamWriter.WriteId(new TightWriter(), "a\0b"u8), Throws.ArgumentException);

    [Test]
    public void A_negative_time_is_our_own_mistake() =>
        Assert.That(() => EventStreamWriter.WriteRetry(new TightWriter(), -1), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void A_reader_gets_the_text_back_with_its_line_ends_made_one([Range(1, 200)] int seed)
    {
        const string Alphabet = "ab:\r\n \0\u00fcid";
        var random = new Random(seed);
        string data = new(random.GetItems<char>(Alphabet, random.Next(40)));
        var output = new TightWriter();
        EventStreamWriter.Write(output, "t"u8, Utf8(data), "7"u8);
        string text = Encoding.UTF8.GetString(output.Written);
        Assert.That(Read(text), Is.EqualTo(("t", data.Replace("\r\n", "\n").Replace('\r', '\n'), "7")));
    }

    // The reader of WHATWG HTML section 9.2.6, for one frame.
    private static (string Type, string Data, string Id) Read(string text)
    {
        var (type, data, id) = ("", new StringBuilder(), "");
        string[] lines = text.Split('\n');
        Assert.That(lines[^2..], Is.EqualTo(["", ""]));
        foreach (string line in lines[..^2])
        {
            Assert.That(line, Is.Not.Empty);
            int colon = line.IndexOf(':');
            string field = line[..colon];
            string value = line[(colon + 1)..];
            if (value.StartsWith(' '))
                value = value[1..];
            if (field == "data")
                data.Append(value).Append('\n');
            else if (field == "event")
                type = value;
            else if (field == "id")
                id = value;
        }
        return (type, data.ToString(0, data.Length - 1), id);
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
