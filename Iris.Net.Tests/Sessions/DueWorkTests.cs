using System.Text;
using Iris.Net.Sessions;
using Iris.Net.Stores;
using Iris.Net.Tests.Conformance;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Sessions;

/// <summary>What no client asks for at the moment is looked at once it is there, and not only by the next sweep.</summary>
internal sealed class DueWorkTests
{
    [Test]
    public async Task ASignalThatComesWhileAnotherLookEndsIsTakenUpAtOnce()
    {
        using Gate gate = new();
        HeldRelease held = null!;
        await using SessionTester host = new(
            (turn, _) => ValueTask.FromResult(turn.WokenBy is null ? TurnOutcome.ParkedOnSignal("go") : TurnOutcome.Finished()),
            wrap: store => held = new(store, gate));
        SessionTesterClient client = host.Client();
        WakeKey key = (await client.SendAsync()).Wake!;
        held.Holds = true;
        host.Sessions.Due.Nudge(client.Id);   // which finds nothing to do
        await gate.ReachedAsync();
        Refusal accepted = await host.Sessions.Wakes.SignalAsync(
            client.Id, "go", Encoding.UTF8.GetBytes(key.Key), "1"u8.ToArray()).AsTask().Within("the signal's answer");
        Assert.That(accepted, Is.EqualTo(Refusal.None));
        for (int i = 0; i < 100; i++)
            await Task.Run(() => { });   // the signal's look begins
        gate.Open();
        await Patience.Until(async () => (await host.Memory.FindAsync(client.Id))!.Turn == 2, "the wake, though no time passes");
    }

    /// <summary>One lease is given back, and who gave it back goes on late.</summary>
    private sealed class HeldRelease(IStateStore inner, Gate gate) : PassingStore(inner)
    {
        public bool Holds { get; set; }

        public override async ValueTask ReleaseAsync(Lease lease, CancellationToken cancel = default)
        {
            await base.ReleaseAsync(lease, cancel);
            if (!Holds)
                return;
            Holds = false;
            await gate.PassAsync();
        }
    }
}
