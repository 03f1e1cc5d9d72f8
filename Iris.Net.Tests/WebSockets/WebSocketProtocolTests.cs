using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Iris.Net.WebSockets;
using static Iris.Net.Tests.WebSockets.ClientFrame;

namespace Iris.Net.Tests.WebSockets;

/// <summary>The closing handshake seen from both sides, the memory of a message, and the window of control frames.</summary>
[TestFixture]
internal sealed class WebSocketProtocolTests
{
    private readonly ArrayBufferWriter<byte> _output = new();
    private WebSocketProtocol _protocol = new(new MessageLimits());

    [SetUp]
    public void SetUp()
    {
        _output.Clear();
        _protocol = new WebSocketProtocol(new MessageLimits());
    }

    [TearDown]
    public void TearDown() => _protocol.Dispose();

    [Test]
    public void A_close_by_the_peer_waits_for_our_answer_which_is_written_once()
    {
        Assert.That(Read(Close(1001, "bye")), Is.EqualTo(WebSocketEvent.Close));
        Assert.That(_protocol.State, Is.EqualTo(CloseState.ClosedByPeer));
        Assert.That(_protocol.CloseReason, Is.EqualTo("bye"));
        Assert.That(_output.WrittenCount, Is.Zero, "replies that were due go first");

        Assert.That(_protocol.WriteClose(_output, WebSocketCloseCode.InternalError, "ours"));
        Assert.That(_output.WrittenSpan.ToArray(), Is.EqualTo(Hex("88 02 03e9")), "the peer's code is echoed");
        Assert.That(_protocol.State, Is.EqualTo(CloseState.CloseAcknowledged));
        Assert.That(_protocol.WriteClose(_output), Is.False);
        Assert.That(_output.WrittenCount, Is.EqualTo(4));
    }

    [Test]
    public void A_close_by_us_waits_for_the_peers_and_skips_its_data_until_then()
    {
        Assert.That(_protocol.WriteClose(_output, WebSocketCloseCode.GoingAway, "drain"));
        Assert.That(_output.WrittenSpan.ToArray(), Is.EqualTo(Hex("88 07 03e9 647261696e")));
        Assert.That(_protocol.State, Is.EqualTo(CloseState.ClosedByUs));
        Assert.That(_protocol.IsCloseWritten);

        Assert.That(Read(Frame(0x81, "late")), Is.EqualTo(WebSocketEvent.None));
        Assert.That(Read(Frame(0x89, "p")), Is.EqualTo(WebSocketEvent.Ping));
        Assert.That(_output.WrittenCount, Is.EqualTo(9), "no frame follows our close");
        Assert.That(Read([.. Head(0x82, 1L << 40), 1, 2, 3]), Is.EqualTo(WebSocketEvent.None), "its size does not matter now");
        Assert.That(OwnsMemory, Is.False);
        Assert.That(_protocol.State, Is.EqualTo(CloseState.ClosedByUs));
    }

    [Test]
    public void The_peers_answer_to_our_close_ends_the_handshake()
    {
        _protocol.WriteClose(_output);
        _output.Clear();
        Assert.That(Read([.. Frame(0x01, "half"), .. Frame(0x80, [0xff]), .. Close(1000)]), Is.EqualTo(WebSocketEvent.Close));
        Assert.That(_protocol.State, Is.EqualTo(CloseState.CloseAcknowledged));
        Assert.That(_protocol.WriteClose(_output), Is.False);
        Assert.That(_output.WrittenCount, Is.Zero);
    }

    [Test]
    public void A_close_by_us_within_the_peers_message_drops_the_message_and_reads_on()
    {
        Read(Frame(0x01, "ab"));
        _protocol.WriteClose(_output);
        Assert.That(Read(Frame(0x00)), Is.EqualTo(WebSocketEvent.None));
        Assert.That(OwnsMemory, Is.False);
        Assert.That(Read([.. Frame(0x00, "c"), .. Frame(0x80, "d"), .. Frame(0x88)]), Is.EqualTo(WebSocketEvent.Close));
        Assert.That(_protocol.CloseCode, Is.EqualTo(WebSocketCloseCode.NoStatusReceived));
    }

    [TestCase("83")]
    [TestCase("80 80 00000000")]
    [TestCase("88 81 00000000 01")]
    public void A_mistake_after_our_close_ends_the_connection_without_another_close(string hex)
    {
        _protocol.WriteClose(_output);
        _output.Clear();
        Assert.That(Read(Hex(hex)), Is.EqualTo(WebSocketEvent.Failed));
        Assert.That(_protocol.State, Is.EqualTo(CloseState.Terminated));
        Assert.That(_protocol.WriteClose(_output), Is.False);
        Assert.That(_output.WrittenCount, Is.Zero);
    }

    [Test]
    public void A_failure_is_told_with_its_own_code_once()
    {
        Assert.That(Read(Hex("83")), Is.EqualTo(WebSocketEvent.Failed));
        Assert.That(_output.WrittenCount, Is.Zero, "replies that were due go first");
        Assert.That(_protocol.WriteClose(_output, WebSocketCloseCode.NormalClosure, "ours"));
        Assert.That(_protocol.WriteClose(_output), Is.False);
        Assert.That(_output.WrittenSpan.ToArray(), Is.EqualTo(Hex("88 02 03ea")));
        Assert.That(_protocol.State, Is.EqualTo(CloseState.Terminated));
    }

    [Test]
    public void A_close_that_may_not_be_sent_changes_nothing()
    {
        Assert.That(() => _protocol.WriteClose(_output, WebSocketCloseCode.AbnormalClosure), Throws.ArgumentException);
        Assert.That(_protocol.State, Is.EqualTo(CloseState.Active));
        Assert.That(_protocol.WriteClose(_output));
    }

    [Test]
    public void A_message_owns_memory_from_its_first_byte_to_the_next_read()
    {
        Assert.That(OwnsMemory, Is.False);
        Read(Head(0x81, 3));
        Assert.That(OwnsMemory, Is.False, "a head alone costs nothing");
        Read(Masked([97]));
        Assert.That(OwnsMemory);
        _protocol.ReleaseMessage();
        Assert.That(OwnsMemory, "an unfinished message is kept");
        Assert.That(Read([.. Masked([97, 98, 99])[1..]]), Is.EqualTo(WebSocketEvent.TextMessage));
        Assert.That(Encoding.UTF8.GetString(_protocol.Message.ToArray()), Is.EqualTo("abc"));
        Assert.That(Read([]), Is.EqualTo(WebSocketEvent.None));
        Assert.That(OwnsMemory, Is.False);
    }

    [Test]
    public void A_message_is_kept_over_our_close_until_it_is_released()
    {
        Read(Frame(0x81, "abc"));
        _protocol.WriteClose(_output);
        Assert.That(Encoding.UTF8.GetString(_protocol.Message.ToArray()), Is.EqualTo("abc"));
        _protocol.ReleaseMessage();
        Assert.That(OwnsMemory, Is.False);
        Assert.That(_protocol.Message.IsEmpty);
    }

    [TestCase("88 80 00000000")]
    [TestCase("83")]
    public void An_end_returns_the_memory_of_an_unfinished_message(string hex)
    {
        Read(Frame(0x01, "abc"));
        Assert.That(OwnsMemory);
        Read(Hex(hex));
        Assert.That(OwnsMemory, Is.False);
    }

    [Test]
    public void A_disposed_connection_owns_and_reads_nothing()
    {
        Read(Frame(0x01, "abc"));
        _protocol.Dispose();
        Assert.That(OwnsMemory, Is.False);
        Assert.That(Read(Frame(0x80, "d")), Is.EqualTo(WebSocketEvent.None));
        Assert.That(_protocol.WriteClose(_output), Is.False);
    }

    [Test]
    public void Memory_follows_the_bytes_that_came_and_not_those_that_were_announced()
    {
        Read([.. Head(0x82, 1_000_000), 1, 2, 3]);
        Assert.That(MemorySize, Is.LessThanOrEqualTo(4096));
        Read(new byte[100_000]);
        Assert.That(MemorySize, Is.LessThanOrEqualTo(524_288));
    }

    [Test]
    public void Messages_that_fit_the_pools_arrays_allocate_nothing()
    {
        byte[] input = [.. Frame(0x81, new string('a', 3000)), .. Frame(0x01, "b"), .. Frame(0x89, "p"), .. Frame(0x80, "c")];
        for (var i = 0; i < 50; i++)
            ReadAll(input);

        var least = long.MaxValue;
        for (var round = 0; round < 5; round++)   // a collection may empty the pools meanwhile
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 30; i++)
                ReadAll(input);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.That(least, Is.Zero);
    }

    [Test]
    public void Control_frames_are_counted_in_windows_that_begin_with_the_first()
    {
        _protocol = new WebSocketProtocol(new MessageLimits { MaxControlFrames = 2, ControlFrameWindow = 10_000 });
        Assert.That(Read(Frame(0x8A), now: 5_000), Is.EqualTo(WebSocketEvent.Pong));
        Assert.That(Read(Frame(0x8A), now: 14_999), Is.EqualTo(WebSocketEvent.Pong));
        Assert.That(Read(Frame(0x8A), now: 15_000), Is.EqualTo(WebSocketEvent.Pong));
        Assert.That(Read(Frame(0x8A), now: 24_999), Is.EqualTo(WebSocketEvent.Pong));
        Assert.That(Read(Frame(0x8A), now: 24_999), Is.EqualTo(WebSocketEvent.Failed));
        Assert.That(_protocol.CloseCode, Is.EqualTo(WebSocketCloseCode.PolicyViolation));
    }

    [Test]
    public void By_default_a_hundred_control_frames_are_taken_in_ten_seconds()
    {
        for (var i = 0; i < 100; i++)
            Assert.That(Read(Frame(0x89), now: i), Is.EqualTo(WebSocketEvent.Ping));
        Assert.That(Read(Frame(0x89), now: 9_999), Is.EqualTo(WebSocketEvent.Failed));
    }

    [Test]
    public void Limits_that_make_no_sense_are_our_own_mistake()
    {
        Assert.That(() => new MessageLimits { MaxMessageSize = -1 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new MessageLimits { MaxMessageSize = 1L << 31 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new MessageLimits { MaxFragments = 0 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new MessageLimits { MaxControlFrames = -1 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    private bool OwnsMemory => MemorySize > 0;

    private int MemorySize
    {
        get
        {
            int size = 0;
            foreach (var block in _protocol.Message)
                size += MemoryMarshal.TryGetArray(block, out var array) ? array.Array!.Length : 0;
            return size;
        }
    }

    private WebSocketEvent Read(byte[] input, long now = 0)
    {
        var reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(input));
        var read = _protocol.Read(ref reader, _output, now);
        Assert.That(reader.End, "these inputs leave nothing behind");
        return read;
    }

    private void ReadAll(byte[] input)
    {
        _output.ResetWrittenCount();
        var reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(input));
        while (_protocol.Read(ref reader, _output, now: 0) != WebSocketEvent.None)
        {
        }
    }
}
