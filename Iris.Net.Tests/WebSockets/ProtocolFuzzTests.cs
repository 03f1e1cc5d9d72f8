using System.Buffers;
using System.Text;
using Iris.Net.WebSockets;

namespace Iris.Net.Tests.WebSockets;

/// <summary>
/// Random conversations with fixed seeds: what is said must be what a plain reading of the RFC, frame by frame, says, however
/// the bytes are cut; and damaged bytes must say the same whole and cut.
/// </summary>
[TestFixture]
internal sealed class ProtocolFuzzTests
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";
    private static readonly MessageLimits Limits = new() { MaxMessageSize = 600, MaxFragments = 8, MaxControlFrames = 20 };
    private static readonly byte[] Usual = [0x81, 0x81, 0x82, 0x01, 0x02, 0x00, 0x00, 0x80, 0x80, 0x89, 0x8A];
    private static readonly string[] Texts = ["", "a", "Hello", "κόσμε", "€", "😀", "zażółć gęślą jaźń"];

    [Test]
    public void Conversations() => Converse(first: 0, count: 3_000);

    [Test]
    [Category("Long")]
    public void Many_conversations() => Converse(first: 1_000_000, count: IsLong ? 300_000 : 100);

    [Test]
    public void Damaged_bytes() => Damage(first: 0, count: 3_000);

    [Test]
    [Category("Long")]
    public void Many_damaged_bytes() => Damage(first: 1_000_000, count: IsLong ? 300_000 : 100);

    private static void Converse(int first, int count)
    {
        for (var seed = first; seed < first + count; seed++)
        {
            var random = new Random(seed);
            var frames = Frames(random);
            var expected = new PlainReading(Limits).Say(frames);
            var said = FeedCut(random, [.. frames.SelectMany(frame => frame.Bytes)]);
            if (said != expected)
                Assert.Fail($"seed {seed}\nsaid     {said}\nexpected {expected}");
        }
    }

    private static void Damage(int first, int count)
    {
        for (var seed = first; seed < first + count; seed++)
        {
            var random = new Random(seed);
            byte[] input = [.. Frames(random).SelectMany(frame => frame.Bytes)];
            for (var i = random.Next(1, 5); i > 0 && input.Length > 0; i--)
                input[random.Next(input.Length)] ^= (byte)(1 << random.Next(8));

            var whole = ProtocolFeeder.Feed(Limits, input);
            var cut = FeedCut(random, input);
            if (whole != cut)
                Assert.Fail($"seed {seed}\nwhole {whole}\ncut   {cut}");
        }
    }

    private static string FeedCut(Random random, byte[] input)
    {
        var feeder = new ProtocolFeeder(Limits);
        var longest = random.Next(3) switch { 0 => 1, 1 => 8, _ => 200 };
        for (var at = 0; at < input.Length;)
        {
            var next = Math.Min(input.Length, at + random.Next(1, longest + 1));
            feeder.Take(input[at..next]);
            at = next;
        }

        return feeder.Said;
    }

    private static List<PlainFrame> Frames(Random random)
    {
        var frames = new List<PlainFrame>();
        for (var i = random.Next(1, 12); i > 0; i--)
        {
            var first = random.Next(12) == 0 ? (byte)random.Next(256) : Usual[random.Next(Usual.Length)];
            if (random.Next(30) == 0)
                first = 0x88;
            var payload = new List<byte>();
            if (first == 0x88 && random.Next(4) > 0)
                payload.AddRange([(byte)random.Next(3, 5), (byte)random.Next(0xE0, 0x100)]);
            for (var j = random.Next(3); j > 0; j--)
                payload.AddRange(Encoding.UTF8.GetBytes(Texts[random.Next(Texts.Length)]));
            if (random.Next(8) == 0)
                payload.AddRange(Enumerable.Repeat((byte)'x', random.Next(400)));
            if (random.Next(10) == 0)
                payload.Add((byte)random.Next(256));
            frames.Add(new PlainFrame(first, [.. payload], IsMasked: random.Next(60) > 0, IsMinimal: random.Next(60) > 0));
        }

        return frames;
    }

    private sealed record PlainFrame(byte First, byte[] Payload, bool IsMasked, bool IsMinimal)
    {
        public byte[] Bytes
        {
            get
            {
                var head = ClientFrame.Head(First, Payload.Length, IsMinimal ? 0 : Payload.Length < 126 ? 2 : 8);
                if (IsMasked)
                    return [.. head, .. ClientFrame.Masked(Payload)];
                head[1] &= 0x7F;
                return [.. head[..^4], .. Payload];
            }
        }
    }

    /// <summary>The rules once more, for whole frames and without any care for speed.</summary>
    private sealed class PlainReading(MessageLimits limits)
    {
        private readonly List<string> _said = [];
        private readonly List<byte> _message = [];
        private int _type;
        private int _fragments;
        private int _controls;

        public string Say(List<PlainFrame> frames)
        {
            foreach (var frame in frames)
            {
                var code = Judge(frame);
                if (code == 0)
                    continue;
                if (code > 0)
                    _said.Add($"failed {code}, send close {code}");
                break;
            }

            return string.Join(", ", _said);
        }

        // 0 to go on, a code to fail with, -1 after a close.
        private int Judge(PlainFrame frame)
        {
            var (opcode, isFinal, payload) = (frame.First & 15, frame.First >= 0x80, frame.Payload);
            if ((frame.First & 0x70) != 0 || !frame.IsMasked || !frame.IsMinimal)
                return 1002;
            if (opcode is 8 or 9 or 10)
                return !isFinal || payload.Length > 125 ? 1002 : opcode == 8 ? JudgeClose(payload) : JudgePing(opcode, payload);
            if (opcode > 2 || (opcode == 0) != (_type != 0))
                return 1002;
            if (_message.Count + payload.Length > limits.MaxMessageSize)
                return 1009;
            if (_fragments == limits.MaxFragments)
                return 1008;

            _type = opcode == 0 ? _type : opcode;
            _fragments++;
            _message.AddRange(payload);
            if (_type == 1 && !IsText([.. _message], isFinal))
                return 1007;
            if (!isFinal)
                return 0;

            _said.Add($"{(_type == 1 ? "text" : "binary")} {ProtocolFeeder.Describe([.. _message])}");
            _message.Clear();
            (_type, _fragments) = (0, 0);
            return 0;
        }

        private int JudgePing(int opcode, byte[] payload)
        {
            if (++_controls > limits.MaxControlFrames)
                return 1008;
            _said.Add(opcode == 10 ? "pong" : $"ping, send pong {ProtocolFeeder.Describe(payload)}");
            return 0;
        }

        private int JudgeClose(byte[] payload)
        {
            if (payload.Length == 0)
            {
                _said.Add("close 1005, send close");
                return -1;
            }

            var code = payload.Length == 1 ? 0 : payload[0] * 256 + payload[1];
            if (code is < 1000 or 1004 or 1005 or 1006 or > 1014 and < 3000 or > 4999)
                return 1002;
            if (!IsText(payload[2..], isWhole: true))
                return 1007;
            var reason = payload.Length > 2 ? $" '{Encoding.UTF8.GetString(payload[2..])}'" : "";
            _said.Add($"close {code}{reason}, send close {code}");
            return -1;
        }

        private static bool IsText(ReadOnlySpan<byte> bytes, bool isWhole)
        {
            while (!bytes.IsEmpty)
            {
                var status = Rune.DecodeFromUtf8(bytes, out _, out var length);
                if (status != OperationStatus.Done)
                    return status == OperationStatus.NeedMoreData && !isWhole;
                bytes = bytes[length..];
            }

            return true;
        }
    }
}
