using System.Collections.Concurrent;
using Iris.Net.Transport;

namespace Iris.Net.Tests.Transport;

/// <summary>Threads that run what arrives: one that is held up is replaced, and what it had set off runs elsewhere.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class LoopThreadsTests
{
    private readonly BlockingCollection<Action> _calls = [];

    [TearDown]
    public void EndThreads() => _calls.CompleteAdding();

    [Test]
    public void A_thread_that_is_held_up_is_replaced_as_often_as_it_takes()
    {
        Start(usual: 2);
        using var release = new ManualResetEventSlim();
        using var entered = new CountdownEvent(12);
        for (int i = 0; i < 12; i++)
            _calls.Add(() =>
            {
                entered.Signal();
                release.Wait();
            });
        Assert.That(entered.Wait(Soon), "twelve calls block their threads at once");
        using var ran = new ManualResetEventSlim();
        _calls.Add(ran.Set);
        Assert.That(ran.Wait(Soon), "one more call runs beside them");
        release.Set();
    }

    [Test]
    public void Work_runs_on_the_thread_that_queued_it_once_its_call_is_over()
    {
        Start(usual: 1);
        using var done = new ManualResetEventSlim();
        ConcurrentQueue<string> order = [];
        int caller = 0, worker = 0;
        _calls.Add(() =>
        {
            caller = Environment.CurrentManagedThreadId;
            LoopThreads.Queue(new Work(() =>
            {
                order.Enqueue("work");
                worker = Environment.CurrentManagedThreadId;
                done.Set();
            }));
            order.Enqueue("call");
        });
        Assert.That(done.Wait(Soon));
        Assert.That(order, Is.EqualTo(new[] { "call", "work" }));
        Assert.That(worker, Is.EqualTo(caller));
    }

    [Test]
    public void What_a_held_up_thread_had_queued_runs_elsewhere()
    {
        Start(usual: 1);
        using var release = new ManualResetEventSlim();
        using var ended = new ManualResetEventSlim();
        _calls.Add(() =>
        {
            LoopThreads.Queue(new Work(release.Set));
            release.Wait(Soon);
            ended.Set();
        });
        Assert.That(release.Wait(Soon), "the call waits for the work that it queued itself");
        Assert.That(ended.Wait(Soon));
    }

    private static TimeSpan Soon => TimeSpan.FromSeconds(60);

    private void Start(int usual) => _ = new LoopThreads(
        worker =>
        {
            if (!_calls.TryTake(out Action? call, Timeout.Infinite))
                return false;
            worker.Enter();
            call();
            return worker.Leave();
        },
        usual);

    private sealed class Work(Action run) : IThreadPoolWorkItem
    {
        public void Execute() => run();
    }
}
