using Iris.Net.WebSockets;

namespace Iris.Net.Tests.WebSockets;

/// <summary>Masking against the RFC's own sentence: octet i is masked with octet i MOD 4 of the key (section 5.3).</summary>
[TestFixture]
internal sealed class FrameMaskTests
{
    private const uint Key = 0x3d21fa37;
    private static readonly byte[] KeyOctets = [0x37, 0xfa, 0x21, 0x3d];

    [Test]
    public void Every_length_at_every_offset_is_what_the_RFC_says([Values(0, 1, 2, 3, 4, 5, 1023, 0x1_0000_0003L)] long offset)
    {
        for (var length = 0; length <= 200; length++)
        {
            var source = Enumerable.Range(0, length).Select(i => (byte)(i * 7)).ToArray();
            var destination = new byte[length + 3];
            FrameMask.Copy(source, destination, Key, offset);

            var expected = source.Select((octet, i) => (byte)(octet ^ KeyOctets[(offset + i) % 4]));
            Assert.That(destination[..length], Is.EqualTo(expected), $"length {length}");
            Assert.That(destination[length..], Is.All.Zero, "nothing is written beyond the source's length");
        }
    }

    [Test]
    public void Pieces_come_to_the_same_as_the_whole()
    {
        var source = Enumerable.Range(0, 300).Select(i => (byte)i).ToArray();
        var whole = new byte[300];
        FrameMask.Copy(source, whole, Key, 0);

        for (var cut = 0; cut <= 300; cut++)
        {
            var pieces = new byte[300];
            FrameMask.Copy(source.AsSpan(0, cut), pieces, Key, 0);
            FrameMask.Copy(source.AsSpan(cut), pieces.AsSpan(cut), Key, cut);
            Assert.That(pieces, Is.EqualTo(whole), $"cut at {cut}");
        }
    }

    [Test]
    public void The_source_is_left_as_it_was()
    {
        var source = new byte[100];
        FrameMask.Copy(source, new byte[100], Key, 0);
        Assert.That(source, Is.All.Zero);
    }
}
