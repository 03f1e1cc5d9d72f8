using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Transport;

namespace Iris.Net.Tests.Transport;

[Platform("Linux"), Parallelizable(ParallelScope.All)]
public class AcceptFilterTests
{
    private const string Word = "first.";

    [Test]
    public async Task What_was_received_and_not_consumed_is_the_first_that_the_connection_reads()
    {
        await using var door = await Door.OpenAsync();
        using Socket peer = await door.ConnectAsync();
        Send(peer, "fir");
        Send(peer, "st.second");
        Assert.That(await door.ServedAsync(), Is.EqualTo("second"));
    }

    [Test]
    public async Task A_block_that_is_full_passes_undecided_and_the_rest_is_read_behind_it()
    {
        await using var door = await Door.OpenAsync();
        using Socket peer = await door.ConnectAsync();
        string much = new('x', 3 * BlockPool.BlockSize / 2);
        Send(peer, much);
        peer.Shutdown(SocketShutdown.Send);
        Assert.That(await door.ServedAsync(), Is.EqualTo(much));
    }

    // Edges that the kernel tells and edges that nobody sent come from many threads, beside a clock.
    [Test]
    public async Task One_thread_at_a_time_judges_and_nothing_that_was_told_is_lost()
    {
        for (int run = 0; run < 50; run++)
        {
            await using var door = await Door.OpenAsync();
            using Socket peer = await door.ConnectAsync();
            WordFilter filter = await door.Filter.Task;
            using var stop = new CancellationTokenSource();
            Thread[] edges = [.. Enumerable.Range(0, 2).Select(_ => new Thread(() =>
            {
                while (!stop.IsCancellationRequested)
                    filter.OnReadable(isEnding: false);
            }))];
            string served;
            try
            {
                Array.ForEach(edges, edge => edge.Start());
                foreach (char c in Word + "rest")
                {
                    Send(peer, c.ToString());
                    filter.Ask();
                }

                peer.Shutdown(SocketShutdown.Send);
                served = await door.ServedAsync();
            }
            finally
            {
                await stop.CancelAsync();
                Array.ForEach(edges, edge => edge.Join());
            }

            Assert.That(served, Is.EqualTo("rest"));
            Assert.That(filter.IsTorn, Is.False);
        }
    }

    // The edge of the end comes with, right before, or right behind the hand-over, and is told once.
    [Test]
    public async Task An_end_that_comes_while_a_connection_passes_is_seen()
    {
        for (int run = 0; run < 300; run++)
        {
            await using var door = await Door.OpenAsync();
            using Socket peer = await door.ConnectAsync();
            Send(peer, Word);
            Send(peer, "a");
            Thread.SpinWait(run * 20);
            Send(peer, "b");
            peer.Shutdown(SocketShutdown.Send);
            Assert.That(await door.ServedAsync(), Is.EqualTo("ab"));
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_peer_that_leaves_before_it_passes_is_counted_out_and_nothing_of_it_stays(bool isReset)
    {
        await using var door = await Door.OpenAsync();
        Socket peer = await door.ConnectAsync();
        WordFilter filter = await door.Filter.Task;
        if (isReset)
        {
            Send(peer, "f");
            await Patience.Until(() => filter.Count > 0);
            peer.LingerState = new LingerOption(true, 0);
        }

        peer.Dispose();
        await filter.Left.Task;
        Assert.That(filter.Abort(), Is.False);
        Assert.That(filter.HasPassed, Is.False);
    }

    [Test]
    public async Task An_end_behind_some_bytes_is_judged()
    {
        await using var door = await Door.OpenAsync();
        using Socket peer = await door.ConnectAsync();
        Send(peer, "fir");
        peer.Shutdown(SocketShutdown.Send);
        WordFilter filter = await door.Filter.Task;
        await filter.Left.Task;
        Assert.That((filter.SawEnd, filter.HasPassed), Is.EqualTo((true, false)));
    }

    [Test]
    public async Task An_abort_resets_the_peer()
    {
        await using var door = await Door.OpenAsync();
        using Socket peer = await door.ConnectAsync();
        WordFilter filter = await door.Filter.Task;
        Assert.That(filter.Abort(), Is.True);
        await filter.Left.Task;
        Assert.That(async () => await peer.ReceiveAsync(new byte[1]),
            Throws.TypeOf<SocketException>().With.Property(nameof(SocketException.SocketErrorCode)).EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public async Task Our_own_mistake_closes_the_connection_and_is_reported()
    {
        await using var door = await Door.OpenAsync();
        using Socket peer = await door.ConnectAsync();
        WordFilter filter = await door.Filter.Task;
        Send(peer, "!");
        await filter.Left.Task;
        Assert.That(filter.Mistake, Is.TypeOf<InvalidOperationException>());
        Assert.That(await peer.ReceiveAsync(new byte[1]), Is.Zero);
    }

    private static void Send(Socket peer, string ascii) => peer.Send(Encoding.ASCII.GetBytes(ascii));

    /// <summary>A listener whose connections pass once they have said the word.</summary>
    private sealed class Door : IAsyncDisposable
    {
        private readonly TaskCompletionSource<string> _served = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private IListener _listener = null!;

        public TaskCompletionSource<WordFilter> Filter { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public static async Task<Door> OpenAsync()
        {
            Door door = new();
            door._listener = await new SocketTransport(new()).BindAsync(
                ListenEndpoint.Tcp(IPAddress.Loopback, 0), _ => throw new InvalidOperationException(), door.Make);
            return door;
        }

        public async Task<Socket> ConnectAsync()
        {
            var peer = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await peer.ConnectAsync(IPAddress.Loopback, _listener.Endpoint.Port);
            return peer;
        }

        /// <summary>What the connection read once it had passed: to the end, or as much as came at first.</summary>
        public Task<string> ServedAsync() => _served.Task.WaitAsync(TimeSpan.FromSeconds(60));

        public ValueTask DisposeAsync() => _listener.DisposeAsync();

        private WordFilter Make(PeerSocket socket)
        {
            WordFilter filter = new(socket, _served);
            Filter.TrySetResult(filter);
            return filter;
        }
    }

    private sealed class WordFilter(PeerSocket socket, TaskCompletionSource<string> served) : AcceptFilter(socket)
    {
        private int _judges;
        private int _consumed;
        private Connection? _connection;

        public TaskCompletionSource Left { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Count => Received;

        public bool HasPassed => _connection is not null;

        public bool IsTorn { get; private set; }

        public bool SawEnd { get; private set; }

        public Exception? Mistake { get; private set; }

        protected override int Consumed => _consumed;

        public void Ask() => AskSoon();

        public bool Abort() => TryAbort();

        public override void Tick(long now) => AskSoon();

        protected override Verdict Admit() => Verdict.Wait;

        protected override Verdict Judge() => Alone(() => Verdict.Wait);

        protected override Verdict Judge(in ReadOnlySequence<byte> received, bool isEnded)
        {
            string text = Encoding.ASCII.GetString(received);
            return Alone(() =>
            {
                if (text[0] == '!')
                    throw new InvalidOperationException();
                SawEnd |= isEnded;
                if (isEnded)
                    return Verdict.Close;
                if (!text.StartsWith(Word, StringComparison.Ordinal))
                    return Verdict.Wait;
                _consumed = Word.Length;
                return Verdict.Pass;
            });
        }

        protected override void Pass(Connection connection) => _connection = connection;

        protected override async Task RunAsync()
        {
            try
            {
                served.SetResult(await ReadAsync(_connection!));
            }
            catch (Exception e)
            {
                served.SetException(e);
            }
        }

        protected override void Leave() => Left.SetResult();

        protected override void Report(Exception e) => Mistake = e;

        private static async Task<string> ReadAsync(Connection connection)
        {
            await using (connection)
            {
                while (true)
                {
                    System.IO.Pipelines.ReadResult read = await connection.Input.ReadAsync();
                    string text = Encoding.ASCII.GetString(read.Buffer);
                    if (read.IsCompleted || text == "second")
                        return text;
                    connection.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                }
            }
        }

        private Verdict Alone(Func<Verdict> judge)
        {
            IsTorn |= Interlocked.Increment(ref _judges) != 1;
            Verdict verdict = judge();
            IsTorn |= Interlocked.Decrement(ref _judges) != 0;
            return verdict;
        }
    }
}
