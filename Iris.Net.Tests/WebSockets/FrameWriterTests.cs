using System.Buffers;
using System.Text;
using Iris.Net.WebSockets;

namespace Iris.Net.Tests.WebSockets;

/// <summary>What the server writes: the exact bytes.</summary>
[TestFixture]
internal sealed class FrameWriterTests
{
    [TestCase("Hello", true, "81 05 48 65 6c 6c 6f")]
    [TestCase("Hel", false, "01 03 48 65 6c")]
    [TestCase("", true, "81 00")]
    public void Text(string text, bool isFinal, string hex)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.Write(output, Opcode.Text, Encoding.UTF8.GetBytes(text), isFinal);
        Assert.That(output.WrittenSpan.ToArray(), Is.EqualTo(ClientFrame.Hex(hex)));
    }

    [TestCase(125, "827d")]
    [TestCase(126, "827e007e")]
    [TestCase(256, "827e0100")]
    [TestCase(65535, "827effff")]
    [TestCase(65536, "827f0000000000010000")]
    public void Binary_has_the_shortest_length(int length, string head)
    {
        var payload = Enumerable.Range(0, length).Select(i => (byte)i).ToArray();
        var span = new ArrayBufferWriter<byte>();
        FrameWriter.Write(span, Opcode.Binary, payload);
        var sequence = new ArrayBufferWriter<byte>();
        FrameWriter.Write(sequence, Opcode.Binary, new ReadOnlySequence<byte>(payload));

        byte[] expected = [.. ClientFrame.Hex(head), .. payload];
        Assert.That(span.WrittenSpan.ToArray(), Is.EqualTo(expected));
        Assert.That(sequence.WrittenSpan.ToArray(), Is.EqualTo(expected));
    }

    [TestCase(WebSocketCloseCode.NormalClosure, "", "88 02 03e8")]
    [TestCase(WebSocketCloseCode.GoingAway, "bye", "88 05 03e9 627965")]
    [TestCase(WebSocketCloseCode.TryAgainLater, "ż", "88 04 03f5 c5bc")]
    [TestCase((WebSocketCloseCode)4999, "", "88 02 1387")]
    [TestCase(WebSocketCloseCode.NoStatusReceived, "", "88 00")]
    public void Close(WebSocketCloseCode code, string reason, string hex)
    {
        var output = new ArrayBufferWriter<byte>();
        CloseFrame.Write(output, code, reason);
        Assert.That(output.WrittenSpan.ToArray(), Is.EqualTo(ClientFrame.Hex(hex)));
    }

    [TestCase((WebSocketCloseCode)0, "")]
    [TestCase((WebSocketCloseCode)999, "")]
    [TestCase((WebSocketCloseCode)1004, "")]
    [TestCase(WebSocketCloseCode.NoStatusReceived, "x")]
    [TestCase(WebSocketCloseCode.AbnormalClosure, "")]
    [TestCase(WebSocketCloseCode.TlsHandshake, "")]
    [TestCase((WebSocketCloseCode)1016, "")]
    [TestCase((WebSocketCloseCode)2999, "")]
    [TestCase((WebSocketCloseCode)5000, "")]
    public void A_close_that_may_not_be_sent_throws_and_writes_nothing(WebSocketCloseCode code, string reason)
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.That(() => CloseFrame.Write(output, code, reason), Throws.InstanceOf<ArgumentException>());
        Assert.That(output.WrittenCount, Is.Zero);
    }

    [Test]
    public void A_reason_with_a_lone_surrogate_throws_and_writes_nothing()
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.That(
            () => CloseFrame.Write(output, WebSocketCloseCode.NormalClosure, "a\ud800"), Throws.InstanceOf<ArgumentException>());
        Assert.That(output.WrittenCount, Is.Zero);
    }

    [Test]
    public void A_reason_has_at_most_123_bytes()
    {
        var output = new ArrayBufferWriter<byte>();
        CloseFrame.Write(output, WebSocketCloseCode.NormalClosure, new string('é', 61) + "a");
        Assert.That(output.WrittenCount, Is.EqualTo(127));
        Assert.That(
            () => CloseFrame.Write(output, WebSocketCloseCode.NormalClosure, new string('é', 62)), Throws.ArgumentException);
        Assert.That(output.WrittenCount, Is.EqualTo(127));
    }
}
