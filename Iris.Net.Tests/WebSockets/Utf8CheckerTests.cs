using System.Buffers;
using System.Text;
using Iris.Net.WebSockets;

namespace Iris.Net.Tests.WebSockets;

/// <summary>The incremental check against the runtime's own decoder of single characters.</summary>
[TestFixture]
internal sealed class Utf8CheckerTests
{
    // The bytes at which the rules of RFC 3629 change, so that all sequences of four are tried in a moment.
    private static readonly byte[] Edges =
    [
        0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1,
        0xF3, 0xF4, 0xF5, 0xFF,
    ];

    [Test]
    public void Every_sequence_of_four_edges_is_judged_as_by_the_runtime_whole_and_at_each_byte()
    {
        foreach (var a in Edges)
        {
            foreach (var b in Edges)
            {
                foreach (var c in Edges)
                {
                    foreach (var d in Edges)
                        AssertJudged([a, b, c, d]);
                }
            }
        }
    }

    [Test]
    public void Every_code_point_is_taken_whole_and_byte_by_byte()
    {
        Span<byte> bytes = stackalloc byte[4];
        for (var value = 0; value <= 0x10FFFF; value = value == 0xD7FF ? 0xE000 : value + 1)
        {
            var text = bytes[..new Rune(value).EncodeToUtf8(bytes)];
            var whole = new Utf8Checker();
            var cut = new Utf8Checker();
            var taken = whole.TryAdvance(text) && whole.IsComplete;
            foreach (var octet in text)
                taken &= cut.TryAdvance([octet]);
            if (!taken || !cut.IsComplete)
                Assert.Fail($"U+{value:X}");
        }
    }

    [Test]
    public void A_piece_of_no_bytes_changes_nothing()
    {
        var checker = new Utf8Checker();
        Assert.That(checker.TryAdvance([]) && checker.IsComplete);
        Assert.That(checker.TryAdvance([0xF0]) && checker.TryAdvance([]) && !checker.IsComplete);
        Assert.That(checker.TryAdvance([0x9F, 0x98, 0x80]) && checker.IsComplete);
    }

    private static void AssertJudged(byte[] text)
    {
        var (valid, complete) = Judge(text);
        var whole = new Utf8Checker();
        var taken = whole.TryAdvance(text);
        if (taken != valid || (valid && whole.IsComplete != complete))
            Assert.Fail($"{Convert.ToHexString(text)} whole: taken {taken}, complete {whole.IsComplete}");

        var checker = new Utf8Checker();
        for (var i = 0; i < text.Length; i++)
        {
            taken = checker.TryAdvance(text.AsSpan(i, 1));
            (valid, complete) = Judge(text.AsSpan(0, i + 1));
            if (taken != valid || (valid && checker.IsComplete != complete))
                Assert.Fail($"{Convert.ToHexString(text)} at byte {i}: taken {taken}, complete {checker.IsComplete}");
            if (!taken)
                return;
        }
    }

    private static (bool Valid, bool Complete) Judge(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(text, out _, out var length);
            if (status == OperationStatus.NeedMoreData)
                return (true, false);
            if (status != OperationStatus.Done)
                return (false, false);
            text = text[length..];
        }

        return (true, true);
    }
}
