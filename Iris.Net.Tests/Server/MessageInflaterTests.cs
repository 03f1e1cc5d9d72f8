using System.Text;
using Iris.Net.WebSockets;
using static Iris.Net.Tests.Server.CompressedFrames;
using static Iris.Net.Tests.WebSockets.ClientFrame;

namespace Iris.Net.Tests.Server;

/// <summary>Compressed messages as a server takes them (RFC 7692 sections 6 and 7.2).</summary>
[TestFixture]
[Parallelizable(ParallelScope.All)]
internal sealed class MessageInflaterTests
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    private const string Hello = "f2 48 cd c9 c9 07 00"; // RFC 7692 section 7.2.3.1

    private static readonly string Long = string.Concat(Enumerable.Range(0, 3000).Select(i => $"{i * 7919 % 1000} \u20AC;"));

    private static byte[] Text(string hex) => Frame(0xC1, Hex(hex));

    private static IEnumerable<TestCaseData> Cases()
    {
        yield return Case("the RFC's message", "text 'Hello'", Text(Hello));
        yield return Case("the RFC's message in two fragments", "text 'Hello'", Frame(0x41, Hex("f2 48 cd")), Frame(0x80, Hex("c9 c9 07 00")));
        yield return Case("a stored block", "text 'Hello'", Text("00 05 00 fa ff 48 65 6c 6c 6f 00"));
        yield return Case("a final block", "text 'Hello'", Text("f3 48 cd c9 c9 07 00 00"));
        yield return Case("a final block in fragments", "text 'Hello'",
            Frame(0x41, Hex("f3 48 cd c9 c9 07")), Frame(0x00), Frame(0x00, Hex("00")), Frame(0x80, Hex("00")));
        yield return Case("two blocks", "text 'Hello'", Text("f2 48 05 00 00 00 ff ff ca c9 c9 07 00"));
        yield return Case("an empty message", "text ''", Text("00"));
        yield return Case("an empty message without payload", "text ''", Text(""));
        yield return Case("an empty message of empty fragments", "text ''", Frame(0x41), Frame(0x00), Frame(0x80));
        yield return Case("binary", "binary 'Hello'", Frame(0xC2, Hex(Hello)));
        yield return Case("the same twice", "text 'Hello', text 'Hello'", Text(Hello), Text(Hello));
        yield return Case("compressed and not", "text 'x', text 'Hello', text 'y'", Frame(0x81, "x"), Text(Hello), Frame(0x81, "y"));
        yield return Case("a ping between fragments", "ping, text 'Hello'",
            Frame(0x41, Hex("f2 48 cd")), Frame(0x89), Frame(0x80, Hex("c9 c9 07 00")));
        yield return Case("a character across fragments", "text '\u20AC'", Frame(0x41, Deflate("\u20AC")[..2]), Frame(0x80, Deflate("\u20AC")[2..]));

        yield return Case("a continuation with RSV1", "failed 1002", Frame(0x41, Hex("f2 48 cd")), Frame(0xC0, Hex("c9 c9 07 00")));
        yield return Case("a ping with RSV1", "failed 1002", Frame(0xC9));
        yield return Case("a pong with RSV1", "failed 1002", Frame(0xCA));
        yield return Case("a close with RSV1", "failed 1002", Frame(0xC8));
        yield return Case("RSV2", "failed 1002", Frame(0xA1, Hex(Hello)));
        yield return Case("RSV1 and RSV3", "failed 1002", Frame(0xD1, Hex(Hello)));
        yield return Case("a reserved opcode with RSV1", "failed 1002", Frame(0xC3, Hex(Hello)));

        yield return Case("a reserved kind of block", "failed 1007", Text("ff ff ff"));
        yield return Case("a stored block whose lengths differ", "failed 1007", Text("00 05 00 fa fe 48 65 6c 6c 6f 00"));
        yield return Case("a distance before the beginning", "failed 1007", Text("f2 00 11 00 00"));
        yield return Case("a message without its last byte", "failed 1007", Text("f2 48 cd c9 c9 07"));
        yield return Case("a message without its last two bytes", "failed 1007", Text("f2 48 cd c9 c9"));
        yield return Case("a stored block that is cut off", "failed 1007", Text("00 05 00 fa ff 48"));
        yield return Case("a stored block that the tail completes", "failed 1007", Text("00 06 00 f9 ff 48 00"));
        yield return Case("a final block with nothing behind it", "failed 1007", Text("f3 48 cd c9 c9 07 00"));
        yield return Case("a final block in the midst, which is never passed over", "failed 1007",
            Text("f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00 00"));
        yield return Case("text that is not UTF-8", "failed 1007", Frame(0xC1, Deflate([0x61, 0xFF])));
        yield return Case("text that ends within a character", "failed 1007", Frame(0xC1, Deflate([0xE2, 0x82])));
    }

    private static TestCaseData Case(string name, string answer, params byte[][] frames) =>
        new TestCaseData(answer, frames.SelectMany(frame => frame).ToArray()).SetName($"Inflates: {name}");

    [TestCaseSource(nameof(Cases))]
    public void What_comes_is_the_same_however_it_is_split(string answer, byte[] input)
    {
        Assert.That(Feed(null, true, input), Is.EqualTo(answer), "whole");
        Assert.That(Feed(null, true, [.. input.Select(octet => new[] { octet })]), Is.EqualTo(answer), "byte by byte");
        for (int at = 1; at < input.Length; at++)
            Assert.That(Feed(null, true, input[..at], input[at..]), Is.EqualTo(answer), $"split at {at}");
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_long_message_comes_however_it_is_fragmented(bool forgets)
    {
        byte[] compressed = Deflate(Long);
        foreach (int size in new[] { 1, 2, 3, 100, 4095, 4096, 4097, compressed.Length })
        {
            byte[][] chunks = [.. compressed.Chunk(size)];
            IEnumerable<byte> input = chunks.SelectMany((chunk, i) =>
                Frame((byte)((i == 0 ? 0x41 : 0) | (i == chunks.Length - 1 ? 0x80 : 0)), chunk));
            Assert.That(Feed(new MessageLimits { MaxFragments = 100_000 }, forgets, [.. input]), Is.EqualTo($"text '{Long}'"), $"{size}");
        }
    }

    [Test]
    public void A_message_may_refer_to_the_one_before_only_where_that_was_agreed_on()
    {
        byte[] input = [.. Text(Hello), .. Text("f2 00 11 00 00")]; // RFC 7692 section 7.2.3.2
        Assert.That(Feed(null, false, input), Is.EqualTo("text 'Hello', text 'Hello'"));
        Assert.That(Feed(null, true, input), Is.EqualTo("text 'Hello', failed 1007"));
    }

    [Test]
    public void A_message_that_is_cut_off_is_refused_also_where_messages_refer_to_one_another()
    {
        Assert.That(Feed(null, false, Text("00 05 00 fa ff 48")), Is.EqualTo("failed 1007"));
        Assert.That(Feed(null, false, Text("f2 48 cd c9 c9"), Text(Hello)), Does.EndWith("failed 1007"));
    }

    [Test]
    public void Text_that_cannot_be_UTF8_is_refused_before_the_message_ends()
    {
        byte[] compressed = Deflate([.. Encoding.UTF8.GetBytes(Long), 0xFF, .. Encoding.UTF8.GetBytes(Long)]);
        Assert.That(Feed(null, true, Frame(0x41, compressed[..^10])), Is.EqualTo("failed 1007"));
    }

    [TestCase(1000, true)]
    [TestCase(1001, false)]
    public void The_size_is_that_of_the_inflated_message(int size, bool isTaken)
    {
        byte[] message = new byte[size];
        Random.Shared.NextBytes(message);
        foreach (byte[] compressed in new[] { Deflate(message), Deflate(new byte[size]), Deflate(message, System.IO.Compression.CompressionLevel.NoCompression) })
        {
            string said = Feed(new MessageLimits { MaxMessageSize = 1000 }, true, Frame(0xC2, compressed));
            Assert.That(said, isTaken ? Does.StartWith("binary ") : Is.EqualTo("failed 1009"));
        }
    }

    [Test]
    public void Compressed_bytes_that_come_to_nothing_are_bounded_too()
    {
        byte[] nothing = [.. Enumerable.Repeat<byte[]>([0x00, 0x00, 0x00, 0xFF, 0xFF], 300).SelectMany(block => block), 0x00];
        Assert.That(Feed(new MessageLimits { MaxMessageSize = 1000 }, true, Frame(0xC2, nothing)), Is.EqualTo("failed 1009"));
    }

    [Test]
    public void A_message_of_a_thousand_kilobytes_that_would_inflate_to_a_gigabyte_is_refused_at_the_limit()
    {
        byte[] bomb = Bomb(1_000 * 1024);
        const int limit = 1024 * 1024;
        foreach (int piece in new[] { bomb.Length, 65_536 })
        {
            using var frames = new CompressedFrames(new MessageLimits { MaxMessageSize = limit });
            frames.Take(Head(0xC2, bomb.Length));
            foreach (byte[] chunk in Masked(bomb).Chunk(piece))
                frames.Take(chunk);
            Assert.That(frames.Said, Is.EqualTo("failed 1009"));
            Assert.That(frames.Inflated, Is.EqualTo(limit + 1));
        }
    }

    [Test]
    public void Damaged_messages() => Damage(first: 0, count: 1_500);

    [Test]
    [Category("Long")]
    public void Many_damaged_messages() => Damage(first: 1_000_000, count: IsLong ? 200_000 : 100);

    // Whatever comes, it is a value, the same however the bytes are cut, and never inflates beyond the limit.
    private static void Damage(int first, int count)
    {
        MessageLimits limits = new() { MaxMessageSize = 2000 };
        for (int seed = first; seed < first + count; seed++)
        {
            var random = new Random(seed);
            bool forgets = random.Next(2) == 0;
            byte[] input = [.. Enumerable.Range(0, 3).SelectMany(_ =>
            {
                byte[] compressed = Deflate(Long[..random.Next(1, 2500)]);
                int at = random.Next(compressed.Length);
                if (random.Next(3) > 0)
                    compressed[at] ^= (byte)(1 << random.Next(8));
                else if (random.Next(3) == 0)
                    compressed = compressed[..at];
                return (byte[])[.. Frame((byte)(0x41 + random.Next(2)), compressed[..(at / 2)]), .. Frame(0x80, compressed[(at / 2)..])];
            })];
            using var whole = new CompressedFrames(limits, forgets);
            whole.Take(input);
            int cut = random.Next(input.Length);
            Assert.That(Feed(limits, forgets, input[..cut], input[cut..]), Is.EqualTo(whole.Said), $"seed {seed}");
            Assert.That(whole.Inflated, Is.LessThanOrEqualTo(3 * (limits.MaxMessageSize + 1)), $"seed {seed}");
        }
    }

    // About 1,030 to 1 is the most that deflate can do.
    private static byte[] Bomb(int size)
    {
        byte[] part = Deflate(new byte[16 * 1024 * 1024]);
        byte[] block = [.. part, 0x00, 0x00, 0xFF, 0xFF];
        byte[] bomb = [.. Enumerable.Repeat(block, size / block.Length).SelectMany(bytes => bytes), 0x00];
        Assert.That(bomb, Has.Length.AtMost(size));
        Assert.That(16L * (size / block.Length), Is.GreaterThan(900), "megabytes it would inflate to");
        return bomb;
    }
}
