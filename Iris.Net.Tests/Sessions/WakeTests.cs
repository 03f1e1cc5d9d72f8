using System.Text;
using System.Text.Json;
using Iris.Net.Journal;
using Iris.Net.Sessions;
using Iris.Net.Stores;
using Iris.Net.Tests.Conformance;
using Iris.Net.Tests.Conformance.Raw;
using RunningTurn = Iris.Net.Sessions.RunningTurn;

namespace Iris.Net.Tests.Sessions;

/// <summary>A parked session is woken once, by its signal or its timer, and its client's token stays.</summary>
[TestFixture(false)]
[TestFixture(true)]
internal sealed class WakeTests(bool inFiles)
{
    private readonly ManualTime _time = new();
    private string _directory = null!;
    private IStateStore _store = null!;

    [SetUp]
    public void MakeStore()
    {
        _directory = Directory.CreateTempSubdirectory("iris-wakes-").FullName;
        _store = inFiles ? OpenFiles() : new MemoryStateStore(time: _time);
    }

    [TearDown]
    public async Task DropStore()
    {
        await _store.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private FileStateStore OpenFiles() => new(_directory, new FileStoreOptions { Time = _time });

    private SessionTester Make(TurnProgram program, Func<SessionSettings, SessionSettings>? change = null) =>
        new(program, s => (change?.Invoke(s) ?? s) with { Time = _time }, store: _store);

    /// <summary>The next process: of the memory store another host, as nothing else outlives one.</summary>
    private async Task<SessionTester> RestartAsync(SessionTester host, TurnProgram program)
    {
        await host.Sessions.DisposeAsync();
        _time.Advance(TimeSpan.FromSeconds(31));   // its leases run out
        if (inFiles)
        {
            await _store.DisposeAsync();
            _store = OpenFiles();
        }

        return Make(program);
    }

    private static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static async Task<Refusal> SignalAsync(SessionTester host, SessionId id, WakeKey key, string payload = "1", string name = "go") =>
        await host.Sessions.Wakes.SignalAsync(id, name, Utf8(key.Key), Utf8(payload)).AsTask().Within("the signal's answer");

    private async Task<SessionHead> HeadAsync(SessionId id) => (await _store.FindAsync(id))!;

    /// <summary>Until so many turns have committed; moves the time as it waits.</summary>
    private async Task<SessionHead> CommittedAsync(SessionId id, long turn, bool moves = true)
    {
        SessionHead? head = null;
        await Patience.Until(async () =>
        {
            if (moves)
                _time.Advance(TimeSpan.FromMilliseconds(200));
            head = await _store.FindAsync(id);
            return head?.Turn >= turn;
        });
        return head!;
    }

    private Task MovedAsync(Func<Task<bool>> until) => Patience.Until(() =>
    {
        _time.Advance(TimeSpan.FromMilliseconds(200));
        return until();
    });

    private static async Task IdleAsync(SessionTester host, SessionId id)
    {
        if (host.Sessions.Running.Of(id) is { } turn)
            await turn.Events.EndAsync().Within("the turn's end");
    }

    /// <summary>Parks the client's turns on a signal; wake turns tell what woke them.</summary>
    private static ValueTask<TurnOutcome> Told(TurnContext turn, CancellationToken cancel)
    {
        bool has = turn.TryGetSignal("go", out JsonElement payload);
        return ValueTask.FromResult(turn.WokenBy is null && !has
            ? TurnOutcome.ParkedOnSignal("go")
            : TurnOutcome.Finished(SessionTester.Json($"[\"{turn.WokenBy}\",{(has ? payload.ToString() : "null")},{turn.Body.GetRawText()},{turn.Number}]")));
    }

    [Test]
    public async Task A_signal_wakes_once_and_leaves_the_clients_token()
    {
        await using SessionTester host = Make(Told);
        SessionTesterClient client = host.Client();
        TurnEnd parked = await client.SendAsync();
        Assert.That(parked.Wake!.Url, Is.EqualTo($"/v1/session/{client.Id}/signal/go"));
        Refusal[] answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => SignalAsync(host, client.Id, parked.Wake)));
        Assert.That(answers, Is.All.EqualTo(Refusal.None));
        SessionHead head = await CommittedAsync(client.Id, 2, moves: false);
        Assert.That((head.Turn, head.ClientTurns, head.Status), Is.EqualTo((2L, 1L, SessionStatus.Finished)));
        Assert.That(Text(head.LastWake!.Reply), Does.Contain("[\"Signal\",1,null,2]"));
        Assert.That(await SignalAsync(host, client.Id, parked.Wake), Is.EqualTo(Refusal.None), "accepted last");
        Assert.That(await SignalAsync(host, client.Id, parked.Wake, "2"), Is.EqualTo(Refusal.Finished));
        Assert.That((await client.AskAsync()).Replayed, Is.Not.Null);
        Assert.That(Text((await client.AskAsync()).Replayed!.End.Fields), Does.Contain("Signal"), "the latest attempt's reply");
        Assert.That((await client.SendAsync()).Status, Is.EqualTo(TurnStatus.Parked), "with the token as it was");
        Assert.That((await HeadAsync(client.Id)).ClientTurns, Is.EqualTo(2));
    }

    [Test]
    public async Task A_spent_token_gets_its_own_reply_whatever_wakes_ran_since()
    {
        await using SessionTester host = Make(Told);
        SessionTesterClient client = host.Client();
        RunningTurn turn = await client.BeginAsync();
        ReadOnlyMemory<byte> spent = client.Token;
        TurnEnd parked = client.Take(await turn.RunAsync());
        await SignalAsync(host, client.Id, parked.Wake!);
        await CommittedAsync(client.Id, 2, moves: false);
        Admission receipt = await host.Sessions.Receipts.AskAsync(client.Id, spent, null);
        Assert.That((receipt.Replayed!.Number, Text(receipt.Replayed.End.Fields)), Is.EqualTo((1L, Text(parked.Fields))));
        Assert.That(receipt.Replayed.End.Wake, Is.EqualTo(parked.Wake), "as it was told");
        Assert.That(receipt.Replayed.End.Token.Span.SequenceEqual(client.Token.Span));
    }

    [Test]
    public async Task A_key_is_for_its_session_its_name_and_its_wait()
    {
        await using SessionTester host = Make((turn, _) => ValueTask.FromResult(
            turn.TryGetSignal("go", out JsonElement said) && said.ValueKind == JsonValueKind.Null ? TurnOutcome.Finished() : TurnOutcome.ParkedOnSignal("go", SessionTester.Json("1"))));
        SessionTesterClient client = host.Client(), other = host.Client();
        WakeKey first = (await client.SendAsync()).Wake!, others = (await other.SendAsync()).Wake!;
        Assert.That(await SignalAsync(host, client.Id, others), Is.EqualTo(Refusal.UnknownSession), "of another session");
        Assert.That(await SignalAsync(host, client.Id, first, name: "stop"), Is.EqualTo(Refusal.UnknownSession), "of another name");
        Assert.That(await SignalAsync(host, new("nobody"), first), Is.EqualTo(Refusal.UnknownSession));
        Assert.That(await SignalAsync(host, client.Id, new("", "")), Is.EqualTo(Refusal.UnknownSession));
        Assert.That((await client.SendAsync()).Wake, Is.EqualTo(first), "it parked on the same name again");
        Assert.That(await SignalAsync(host, client.Id, first), Is.EqualTo(Refusal.None));
        await CommittedAsync(client.Id, 3, moves: false);
        WakeKey next = (await client.AskAsync()).Replayed!.End.Wake!;
        Assert.That(next, Is.Not.EqualTo(first));
        Assert.That(await SignalAsync(host, client.Id, first), Is.EqualTo(Refusal.None), "accepted last");
        Assert.That(await SignalAsync(host, client.Id, first, "2"), Is.EqualTo(Refusal.NotWaiting), "used");
        Assert.That(await SignalAsync(host, client.Id, next, "2"), Is.EqualTo(Refusal.None));
        await CommittedAsync(client.Id, 4, moves: false);
        Assert.That(await SignalAsync(host, client.Id, first), Is.EqualTo(Refusal.NotWaiting), "long used");
    }

    [Test]
    public async Task A_key_that_the_running_turn_gave_out_waits_for_its_end()
    {
        using Gate gate = new();
        WakeKey? given = null;
        await using SessionTester host = Make(async (turn, _) =>
        {
            if (turn.Number > 1)
                return TurnOutcome.Finished(turn.TryGetSignal("go", out JsonElement payload) ? payload : default);
            given = turn.WakeFor("go");
            await gate.PassAsync();
            return TurnOutcome.ParkedOnSignal("go");
        });
        SessionTesterClient client = host.Client();
        Task<TurnEnd> run = (await client.BeginAsync()).RunAsync().AsTask();
        await gate.ReachedAsync();
        Task<Refusal> signal = SignalAsync(host, client.Id, given!, "7");
        Assert.That(signal.IsCompleted, Is.False);
        gate.Open();
        Assert.That((await run).Wake, Is.EqualTo(given));
        Assert.That(await signal, Is.EqualTo(Refusal.None));
        Assert.That(Text((await CommittedAsync(client.Id, 2, moves: false)).LastWake!.Reply), Does.EndWith("\"output\":7}"));
    }

    [Test]
    public async Task A_timer_wakes_at_its_time_and_an_earlier_waits_timer_does_not()
    {
        int wakes = 0;
        await using SessionTester host = Make((turn, _) =>
        {
            if (turn.WokenBy is not null)
                Interlocked.Increment(ref wakes);
            return ValueTask.FromResult(turn.Number == 1 ? TurnOutcome.ParkedOnTimer(_time.GetUtcNow().AddSeconds(10))
                : turn.Number == 2 ? TurnOutcome.ParkedOnTimer(_time.GetUtcNow().AddSeconds(30)) : TurnOutcome.Finished());
        });
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        await client.SendAsync();
        _time.Advance(TimeSpan.FromSeconds(29));
        await Task.Delay(50);
        Assert.That((await HeadAsync(client.Id)).Turn, Is.EqualTo(2), "not yet");
        SessionHead head = await CommittedAsync(client.Id, 3);
        for (int i = 0; i < 20; i++)
            _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That((head.Turn, head.ClientTurns, wakes), Is.EqualTo((3L, 2L, 1)));
    }

    [Test]
    public async Task A_timer_whose_time_came_while_nothing_ran_fires_at_start_once()
    {
        if (!inFiles)
            Assert.Ignore("nothing is left of it");
        int wakes = 0;
        TurnProgram program = (turn, _) =>
        {
            wakes += turn.WokenBy == WaitKind.Timer ? 1 : 0;
            return ValueTask.FromResult(turn.Number == 1 ? TurnOutcome.ParkedOnTimer(_time.GetUtcNow().AddSeconds(10)) : TurnOutcome.Finished());
        };
        SessionTester host = Make(program);
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        await using SessionTester next = await RestartAsync(host, program);
        await CommittedAsync(client.Id, 2, moves: false);
        for (int i = 0; i < 5; i++)
            _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(wakes, Is.EqualTo(1));
    }

    [Test]
    public async Task A_failed_wake_is_tried_again_after_a_while_that_doubles_also_over_restarts()
    {
        List<(int Attempt, double At)> attempts = [];
        DateTimeOffset begun = _time.GetUtcNow();
        int fails = 6;
        TurnProgram program = (turn, _) =>
        {
            if (turn.WokenBy is null)
                return ValueTask.FromResult(TurnOutcome.ParkedOnSignal("go"));
            lock (attempts)
                attempts.Add((turn.Attempt, (_time.GetUtcNow() - begun).TotalSeconds));
            return turn.Attempt <= fails ? throw new InvalidOperationException("not yet") : ValueTask.FromResult(TurnOutcome.Finished());
        };
        SessionTester host = Make(program);
        SessionTesterClient client = host.Client();
        WakeKey key = (await client.SendAsync()).Wake!;
        await SignalAsync(host, client.Id, key);
        for (int wanted = 1; wanted <= fails + 1; wanted++)
        {
            await Patience.Until(() =>
            {
                lock (attempts)
                    if (attempts.Count >= wanted)
                        return true;
                _time.Advance(TimeSpan.FromMilliseconds(250));
                return false;
            });
            await IdleAsync(host, client.Id);
            if (inFiles && wanted is 2 or 4)
            {
                SessionTester last = host;
                host = await RestartAsync(last, program);
            }
        }

        await CommittedAsync(client.Id, 2, moves: false);
        await host.DisposeAsync();
        Assert.That(attempts.Select(a => a.Attempt), Is.EqualTo(Enumerable.Range(1, fails + 1)));
        double[] between = [.. attempts.Zip(attempts.Skip(1), (a, b) => b.At - a.At)];
        for (int i = 0; i < between.Length; i++)
            Assert.That(between[i], Is.AtLeast(Math.Pow(2, i)), $"before attempt {i + 2}: {string.Join(", ", between)}");
        if (!inFiles)
            Assert.That(between[^1], Is.AtMost(Math.Pow(2, between.Length - 1) + 15));
    }

    [Test]
    public async Task A_wakes_steps_are_not_run_twice_and_a_clients_open_request_beside_it_keeps_its_own()
    {
        int charged = 0, woken = 0;
        await using SessionTester host = Make(async (turn, cancel) =>
        {
            if (turn.Number == 1)
                return TurnOutcome.ParkedOnTimer(_time.GetUtcNow().AddSeconds(10));
            if (turn.WokenBy is not null)
            {
                await Programs.StepAsync(turn, "wake", () => ++woken);
                return turn.Attempt < 3 ? throw new InvalidOperationException("not yet") : TurnOutcome.ParkedOnUser();
            }

            await Programs.StepAsync(turn, "charge", () => ++charged);
            return turn.Attempt < 3 ? throw new InvalidOperationException("not yet") : TurnOutcome.Finished(SessionTester.Json($"{turn.Attempt}"));
        });
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        await (await client.BeginAsync("7")).RunAsync();   // it fails
        Assert.That((await client.AskAsync()).Replayed!.End.Reason, Is.EqualTo(AbortReason.Failed));
        _time.Advance(TimeSpan.FromSeconds(11));
        await MovedAsync(() => Task.FromResult(Volatile.Read(ref woken) == 1));
        await IdleAsync(host, client.Id);
        await (await client.BeginAsync("7")).RunAsync();   // it fails between the wake's attempts
        await CommittedAsync(client.Id, 2);
        Assert.That(woken, Is.EqualTo(1), "the wake's step");
        TurnEnd latest = (await client.AskAsync()).Replayed!.End;
        Assert.That(latest.Status, Is.EqualTo(TurnStatus.Parked), "the latest attempt committed");
        TurnEnd end = await client.SendAsync("7");
        Assert.That((Text(end.Fields), charged), Is.EqualTo(("\"status\":\"finished\",\"output\":3", 1)), "the client's step");
        List<long> seqs = await _store.ReadAsync(client.Id, 0).Select(e => e.Seq).ToListAsync();
        Assert.That(seqs, Is.Ordered.Ascending);
        Assert.That(await _store.ReadAsync(client.Id, 0).Where(e => e.Kind == RecordKind.EffectResult).CountAsync(), Is.EqualTo(2));
    }

    [Test]
    public async Task A_clients_other_body_closes_no_wake()
    {
        int woken = 0;
        await using SessionTester host = Make(async (turn, cancel) =>
        {
            if (turn.Number == 1)
                return TurnOutcome.ParkedOnTimer(_time.GetUtcNow().AddSeconds(10));
            if (turn.WokenBy is null)
            {
                await Programs.StepAsync(turn, "own", () => 1);
                throw new InvalidOperationException("never");
            }

            await Programs.StepAsync(turn, "wake", () => ++woken);
            return turn.Attempt < 4 ? throw new InvalidOperationException("not yet") : TurnOutcome.Finished();
        });
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        for (int i = 0; i < 3; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(11));
            await MovedAsync(async () => (await JournalTail.ReadAsync(_store.ReadAsync(client.Id, 0))).Wake?.Attempts > i);
            await IdleAsync(host, client.Id);
            await (await client.BeginAsync($"{i}")).RunAsync();
        }

        SessionHead head = await CommittedAsync(client.Id, 2);
        Assert.That((woken, head.Turn, head.ClientTurns), Is.EqualTo((1, 2L, 1L)));
        List<long> seqs = await _store.ReadAsync(client.Id, 0).Select(e => e.Seq).ToListAsync();
        Assert.That(seqs, Is.Ordered.Ascending);
    }

    [Test]
    public async Task A_cancelled_wake_is_not_tried_again_and_the_clients_next_turn_gets_its_signal()
    {
        using Gate gate = new();
        int wakes = 0;
        SessionTester host = Make(async (turn, cancel) =>
        {
            if (turn.WokenBy is null)
                return turn.TryGetSignal("go", out JsonElement said) ? TurnOutcome.Finished(said) : TurnOutcome.ParkedOnSignal("go");
            Interlocked.Increment(ref wakes);
            _ = gate.PassAsync();
            await Task.Delay(Timeout.Infinite, cancel);
            return TurnOutcome.Finished();
        });
        SessionTesterClient client = host.Client();
        WakeKey key = (await client.SendAsync()).Wake!;
        await SignalAsync(host, client.Id, key, "5");
        await gate.ReachedAsync();
        Assert.That((await client.AskAsync()).Attached, Is.Not.Null, "the current token sees it run");
        Task<TurnEnd> end = host.Sessions.Running.Of(client.Id)!.Events.EndAsync();
        CancelAnswer answer = await host.Sessions.Cancels.CancelAsync(client.Id, client.Token, null);
        Assert.That((answer.Refused.Refusal, answer.Turn), Is.EqualTo((Refusal.None, 2L)));
        Assert.That((await end).Reason, Is.EqualTo(AbortReason.Cancelled));
        Assert.That((await client.AskAsync()).Replayed!.End.Reason, Is.EqualTo(AbortReason.Cancelled));
        if (inFiles)
        {
            SessionTester last = host;
            host = await RestartAsync(last, last.Program);
            client = client.At(host);
        }

        for (int i = 0; i < 600; i++)
            _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(wakes, Is.EqualTo(1));
        Assert.That(Text((await client.SendAsync()).Fields), Does.EndWith("\"output\":5"));
        await host.DisposeAsync();
    }

    [Test]
    public async Task A_message_that_meets_a_wake_waits_for_it_and_never_interrupts_it()
    {
        using Gate gate = new();
        await using SessionTester host = Make(async (turn, cancel) =>
        {
            if (turn.WokenBy is null)
                return turn.Number == 1 ? TurnOutcome.ParkedOnSignal("go") : TurnOutcome.Finished(SessionTester.Json($"{turn.Number}"));
            await gate.PassAsync();
            Assert.That(cancel.IsCancellationRequested, Is.False);
            return TurnOutcome.ParkedOnUser();
        });
        SessionTesterClient client = host.Client();
        WakeKey key = (await client.SendAsync()).Wake!;
        await SignalAsync(host, client.Id, key);
        await gate.ReachedAsync();
        Assert.That(await client.With("wrong").AdmitAtAsync(client.Id), Is.EqualTo(Refusal.StaleToken), "a wrong one waits for nothing");
        TurnRequest request = new(Utf8("{}"), null) { Interrupts = true };
        Assert.That((await host.Sessions.Claims.InterruptAsync(client.Id, client.Token, request)).Refusal, Is.EqualTo(Refusal.InFlight));
        Task<Admission> waiting = client.AdmitAsync();
        Task<Admission> bound = host.Sessions.Claims.ContinueBoundAsync(client.Id, new TurnRequest(Utf8("[]"), null)).AsTask();
        await Task.Delay(20);
        Assert.That((waiting.IsCompleted, bound.IsCompleted), Is.EqualTo((false, false)));
        gate.Open();
        Admission[] claimed = await Task.WhenAll(waiting, bound).Within("the claims");
        Assert.That(claimed.Count(a => a.Turn is not null), Is.EqualTo(1), "one of them");
        Assert.That(Text((await claimed.Single(a => a.Turn is not null).Turn!.RunAsync()).Fields), Does.EndWith("\"output\":3"));
    }

    [Test]
    public async Task A_message_that_meets_a_long_wake_is_in_flight_after_ten_seconds()
    {
        using Gate gate = new();
        await using SessionTester host = Make(async (turn, _) =>
        {
            if (turn.WokenBy is not null)
                await gate.PassAsync();
            return TurnOutcome.ParkedOnSignal("go");
        });
        SessionTesterClient client = host.Client();
        WakeKey key = (await client.SendAsync()).Wake!;
        await SignalAsync(host, client.Id, key);
        await gate.ReachedAsync();
        Task<Admission> waiting = client.AdmitAsync("{}", "a key of twenty and more");
        await Patience.Until(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return waiting.IsCompleted;
        });
        Assert.That((await waiting).Refusal, Is.EqualTo(Refusal.InFlight));
        gate.Open();
    }

    [Test]
    public async Task While_draining_an_accepted_signal_waits_for_the_next_start()
    {
        await using SessionTester host = Make(Told);
        SessionTesterClient client = host.Client();
        WakeKey key = (await client.SendAsync()).Wake!;
        await host.Sessions.DrainAsync();
        Assert.That(await SignalAsync(host, client.Id, key), Is.EqualTo(Refusal.None));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.That((await HeadAsync(client.Id)).Turn, Is.EqualTo(1));
        await using SessionTester next = await RestartAsync(host, Told);
        await CommittedAsync(client.Id, 2, moves: false);
    }

    [Test]
    public async Task A_wake_that_finds_no_place_comes_later()
    {
        using Gate gate = new();
        await using SessionTester host = Make(async (turn, cancel) =>
        {
            if (turn.Body.ValueKind == JsonValueKind.Number)
                await gate.PassAsync();
            return await Told(turn, cancel);
        }, s => s with { MaxConcurrentTurns = 1 });
        SessionTesterClient client = host.Client();
        WakeKey key = (await client.SendAsync()).Wake!;
        Task<TurnEnd> other = (await host.Client().BeginAsync("1")).RunAsync().AsTask();
        await gate.ReachedAsync();
        await SignalAsync(host, client.Id, key);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.That((await HeadAsync(client.Id)).Turn, Is.EqualTo(1));
        gate.Open();
        await other;
        await CommittedAsync(client.Id, 2);
    }

    [Test]
    public async Task Of_a_client_and_a_wake_each_runs_once_and_the_signal_is_seen_once()
    {
        int seen = 0;
        await using SessionTester host = Make((turn, _) =>
        {
            if (turn.TryGetSignal("go", out JsonElement _))
                Interlocked.Increment(ref seen);
            return ValueTask.FromResult(TurnOutcome.ParkedOnSignal("go"));
        });
        SessionTesterClient client = host.Client();
        WakeKey key = (await client.SendAsync()).Wake!;
        int rounds = inFiles ? 100 : 1000;
        for (int i = 1; i <= rounds; i++)
        {
            Task<Refusal> signal = Task.Run(() => SignalAsync(host, client.Id, key, $"{i}"));
            Task<TurnEnd> message = Task.Run(() => client.SendAsync($"{i}"));
            await Patience.Until(() =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(5));   // a signal that meets somebody looks again a little later
                return signal.IsCompleted && message.IsCompleted;
            });
            Assert.That(await signal, Is.EqualTo(Refusal.None), $"round {i}");
            TurnEnd end = await message;
            Assert.That(end.Status, Is.EqualTo(TurnStatus.Parked), $"round {i}");
            SessionHead head = null!;
            await Patience.Until(async () =>
            {
                head = await HeadAsync(client.Id);
                return new SignalCounts(head.Signals).Of("go") == i;
            });
            await IdleAsync(host, client.Id);
            head = await HeadAsync(client.Id);
            Assert.That((seen, head.ClientTurns), Is.EqualTo((i, i + 1L)), $"round {i}");
            key = host.Sessions.Wakes.KeyToTell(client.Id, head)!;
        }
    }

    [Test, Category("Long")]
    [CancelAfter(300_000)]
    public async Task Of_a_wake_and_those_that_interrupt_the_wake_is_spared()
    {
        int seen = 0, cutWakes = 0, wakes = 0;
        await using SessionTester host = Make(async (turn, cancel) =>
        {
            bool has = turn.TryGetSignal("go", out _);
            if (turn.Body.ToString() == "0")
                await Task.Delay(Timeout.Infinite, cancel);
            for (int i = 0; i < 20 && turn.WokenBy is not null; i++)
            {
                await Task.Yield();
                Interlocked.Add(ref cutWakes, cancel.IsCancellationRequested ? 1 : 0);
            }

            Interlocked.Add(ref wakes, turn.WokenBy is null ? 0 : 1);
            Interlocked.Add(ref seen, has && !cancel.IsCancellationRequested ? 1 : 0);
            return TurnOutcome.ParkedOnSignal("go");
        });
        SessionTesterClient client = host.Client();
        WakeKey key = (await client.SendAsync()).Wake!;
        int rounds = (inFiles ? 30 : 100) * (Environment.GetEnvironmentVariable("IRIS_LONG") == "1" ? 20 : 1);
        for (int i = 1; i <= rounds || (Volatile.Read(ref wakes) == 0 && i <= 20 * rounds); i++)   // until a wake came first at least once
        {
            Task<TurnEnd> held = (await client.BeginAsync("0")).RunAsync().AsTask();
            async Task<TurnEnd?> InterruptAsync(int body)
            {
                TurnRequest request = new(Utf8($"{body}"), null) { Interrupts = true };
                Admission admission = await host.Sessions.Claims.InterruptAsync(client.Id, client.Token, request);
                if (admission.Turn is { } turn)
                    return await turn.RunAsync();
                Assert.That(admission.Refusal, Is.AnyOf(Refusal.InFlight, Refusal.StaleToken), "it met a wake, or was too late");
                return null;
            }

            Task<Refusal> signal = Task.Run(() => SignalAsync(host, client.Id, key, $"{i}"));
            Task<TurnEnd?>[] others = [.. Enumerable.Range(1, 3).Select(body => Task.Run(() => InterruptAsync(body)))];
            await Patience.Until(() =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(5));
                return signal.IsCompleted && others.All(other => other.IsCompleted);
            });
            Assert.That((await held.Within("its end")).Reason, Is.EqualTo(AbortReason.Cancelled));
            Assert.That(await signal, Is.EqualTo(Refusal.None), $"round {i}");
            SessionHead head = null!;
            await Patience.Until(async () =>
            {
                head = await HeadAsync(client.Id);
                return new SignalCounts(head.Signals).Of("go") == i;
            });
            await IdleAsync(host, client.Id);
            TurnEnd[] ends = [.. (await Task.WhenAll(others)).OfType<TurnEnd>()];
            Assert.That(ends.Count(end => end.IsCommitted), Is.EqualTo(1), $"round {i}: one of them runs to its end");
            Assert.That(ends.Where(end => !end.IsCommitted).Select(end => end.Reason), Is.All.EqualTo(AbortReason.Cancelled));
            client.Take(ends.Single(end => end.IsCommitted));
            head = await HeadAsync(client.Id);
            Assert.That((cutWakes, seen, head.ClientTurns), Is.EqualTo((0, i, i + 1L)), $"round {i}: no wake cut, no signal lost");
            key = host.Sessions.Wakes.KeyToTell(client.Id, head)!;
        }

        Assert.That(wakes, Is.Positive);
    }

    [Test, Category("Long")]
    [CancelAfter(300_000)]
    public async Task Of_a_wake_and_a_delete_the_first_is_whole()
    {
        int begun = 0, ended = 0, deletes = 0, kept = 0;
        TaskCompletionSource? held = null;
        await using SessionTester host = Make(async (turn, cancel) =>
        {
            if (turn.WokenBy is null)
                return TurnOutcome.ParkedOnSignal("go");
            Interlocked.Increment(ref begun);
            await Programs.StepAsync(turn, "one", () => 1);
            await (Volatile.Read(ref held)?.Task ?? Task.CompletedTask);
            for (int i = 0; i < 50; i++)
                await Task.Yield();
            Interlocked.Increment(ref ended);
            return TurnOutcome.ParkedOnUser();
        });
        int rounds = (inFiles ? 30 : 300) * (Environment.GetEnvironmentVariable("IRIS_LONG") == "1" ? 20 : 1);
        for (int i = 0; i < rounds; i++)
        {
            SessionTesterClient client = host.Client();
            WakeKey key = (await client.SendAsync()).Wake!;
            Task<Admission> DeleteAsync() => Task.Run(() => host.Sessions.Deletions.DeleteAsync(client.Id, client.Token, null).AsTask());
            Task<Admission>? early = i % 3 == 0 ? DeleteAsync() : null;
            if (i == 0)
                await early!;   // one deletion comes first for certain
            int before = begun;
            held = i % 6 == 5 ? new(TaskCreationOptions.RunContinuationsAsynchronously) : null;   // then it runs when the delete comes
            Task<Refusal> signal = Task.Run(() => SignalAsync(host, client.Id, key));
            if (i % 3 == 1)
                await signal;   // it is about to be looked at
            if (i % 3 == 2)
                SpinWait.SpinUntil(() => Volatile.Read(ref begun) != before, TimeSpan.FromSeconds(10));
            Refusal deleted = (await (early ?? DeleteAsync()).Within("the delete")).Refusal;
            held?.SetResult();
            int begunThen = Volatile.Read(ref begun);
            Assert.That(deleted, Is.AnyOf(Refusal.None, Refusal.InFlight));
            if (deleted == Refusal.None)
                Assert.That(Volatile.Read(ref ended), Is.EqualTo(begunThen), $"round {i}: nothing runs of what is deleted");
            await Patience.Until(() =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(5));
                return signal.IsCompleted;
            });
            Assert.That(await signal, Is.AnyOf(Refusal.None, Refusal.UnknownSession));
            if (deleted != Refusal.None)
            {
                kept++;
                await CommittedAsync(client.Id, 2);
                await IdleAsync(host, client.Id);
                continue;
            }

            deletes++;
            _time.Advance(TimeSpan.FromSeconds(2));
            await Patience.Until(() => host.Sessions.Running.Of(client.Id) is null);   // a wake gives up the session before its run is over
            Assert.That(await _store.FindAsync(client.Id), Is.Null);
            Assert.That(await _store.ReadAsync(client.Id, 0).CountAsync(), Is.Zero, "no record of it");
            Assert.That(await SignalAsync(host, client.Id, key), Is.EqualTo(Refusal.UnknownSession));
            Assert.That(Volatile.Read(ref begun), Is.EqualTo(begunThen), $"round {i}: nothing runs after the answer");
        }

        Assert.That(deletes, Is.Positive);
        Assert.That(kept, Is.Positive);
    }
}
