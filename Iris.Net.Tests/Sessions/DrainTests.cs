using Iris.Net.Sessions;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Sessions;

internal sealed class DrainTests
{
    [Test]
    public async Task ATurnThatEntersWhileTheOthersAreEndedIsEndedToo()
    {
        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously), opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using SessionTester host = new(
            async (_, cancel) =>
            {
                await Task.Delay(Timeout.Infinite, cancel);
                return TurnOutcome.ParkedOnUser();
            },
            wrap: store => new SlowStore(store, reached, opened));
        Task<RunningTurn> begun = host.Client().BeginAsync();
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Task drained = host.Sessions.DrainAsync(new CancellationToken(true));
        opened.SetResult();
        TurnEnd end = await (await begun).RunAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That(end.Reason, Is.EqualTo(AbortReason.Stopped));
        await drained.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private sealed class SlowStore(IStateStore inner, TaskCompletionSource reached, TaskCompletionSource opened) : PassingStore(inner)
    {
        public override async ValueTask<CreateResult> CreateAsync(
            SessionId id, SessionSeed seed, LeaseRequest by, CancellationToken cancel = default)
        {
            reached.TrySetResult();
            await opened.Task;
            return await base.CreateAsync(id, seed, by, cancel);
        }
    }
}
