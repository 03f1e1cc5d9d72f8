using System.Text.Json;
using Iris.Net.Journal;
using Iris.Net.Server;
using Iris.Net.Stores;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Sessions;

namespace Iris.Net.Tests.Conformance.RefusalTable;

/// <summary>A server in a state, with sessions of ann's: an idle one ($ID, $TOKEN), one that runs a turn ($BUSY, $BUSYTOKEN), one whose
/// token was spent ($OLD, $OLDTOKEN, spent: $SPENT), one with an idempotency key ($KEYED, $KEYEDTOKEN, spent: $KEYSPENT), a deleted
/// one ($GONE, $GONETOKEN), and three that parked on the signal <c>go</c>: it waits ($WAIT, $WAITKEY), was woken ($WOKEN, $WOKENKEY), was
/// woken and finished ($DONE, $DONEKEY). Where it is crowded, $ID and $BUSY have 16 readers, $ID has a ticket that was not used
/// ($IDTICKET), $OLD has 64 tickets that were and one more ($OLDTICKET).</summary>
internal sealed class RefusalServers : IAsyncDisposable
{
    private const string Ann = "Authorization: Bearer ann";

    private readonly Gate _gate = new();
    private readonly Dictionary<string, string> _values = [];
    private readonly BreakableStore _store = new(new MemoryStateStore());
    private readonly List<Task> _pending = [];
    private readonly List<RawConnection> _readers = [];
    private Channel? _holder;
    private Channel _channel = null!;

    public Uri Url => _channel.Url;

    public Channel Channel => _channel;

    public static async Task<RefusalServers> StartAsync(State state)
    {
        RefusalServers servers = new();
        servers._channel = await Channel.StartAsync(new Adapter(servers._gate, webSockets: state != State.Plain), o => o with
        {
            Store = servers._store,
            Time = state == State.Crowded ? new ManualTime() : o.Time,   // its tickets do not run out
            ContendedRetry = TimeSpan.Zero,
            ShutdownGrace = TimeSpan.FromSeconds(30),
            Authorize = state is State.Well ? Bearer.AskAsync : null,
            Limits = new RestChannelLimits
            {
                MaxConcurrentTurns = state == State.Full ? 1 : 1000,
                Http = state == State.Hasty ? new HttpServerLimits { RequestTimeout = TimeSpan.FromSeconds(1) } : new HttpServerLimits(),
            },
        });
        await servers.FillAsync(state);
        return servers;
    }

    /// <summary>Puts in the sessions and what opens them.</summary>
    public string Fill(string text) => _values.Keys.OrderByDescending(name => name.Length)
        .Aggregate(text, (filled, name) => filled.Replace("$" + name, _values[name], StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        _gate.Open();
        foreach (RawConnection reader in _readers)
            await reader.DisposeAsync();
        foreach (Task pending in _pending)
            await pending.Within("what a server still ran");
        if (_holder is not null)
            await _holder.DisposeAsync();
        _store.IsBroken = false;
        await _channel.DisposeAsync();
        await _store.DisposeAsync();
        _gate.Dispose();
    }

    private async Task FillAsync(State state)
    {
        await BeginAsync("ID", "TOKEN");
        await BeginAsync("OLD", "SPENT");
        _values["OLDTOKEN"] = await GoOnAsync(_values["OLD"], _values["SPENT"]);
        await BeginAsync("KEYED", "KEYSPENT");
        _values["KEYEDTOKEN"] = await GoOnAsync(_values["KEYED"], _values["KEYSPENT"], "Idempotency-Key: one");
        await BeginAsync("GONE", "GONETOKEN");
        RawResponse deleted = await _channel.AskAsync(
            new RawRequest("DELETE", $"/v1/session/{_values["GONE"]}", Ann, $"X-Continuation-Token: {_values["GONETOKEN"]}"));
        Assert.That(deleted.Status, Is.EqualTo(204));
        await ParkAsync("WAIT", "WAITKEY", then: "");
        await ParkAsync("WOKEN", "WOKENKEY", then: "user");
        await ParkAsync("DONE", "DONEKEY", then: "finish");
        await BeginAsync("BUSY", "BUSYTOKEN");
        if (state == State.Held)
            _holder = await Channel.StartAsync(new Adapter(_gate, webSockets: true), o => o with { Store = _store });
        RawRequest busy = RawRequest.Post(
            $"/v1/session/{_values["BUSY"]}/message", """{"do":"wait"}""", Ann, $"X-Continuation-Token: {_values["BUSYTOKEN"]}");
        _pending.Add((_holder ?? _channel).AskAsync(busy));
        await _gate.ReachedAsync();
        _store.IsBroken = state == State.Broken;
        if (state == State.Crowded)
            await CrowdAsync();
        if (state != State.Draining)
            return;
        _pending.Add(_channel.StopAsync());
        await Patience.Until(async () => (await _channel.AskAsync(RawRequest.Get("/v1/ready"))).Status == 503);
    }

    private async Task CrowdAsync()
    {
        _values["IDTICKET"] = await TicketAsync("ID", "TOKEN");
        for (int i = 0; i < 64; i++)
            Assert.That((await _channel.AskAsync(
                RawRequest.Get($"/v1/session/{_values["OLD"]}/stream?ticket={await TicketAsync("OLD", "OLDTOKEN")}"))).Status, Is.EqualTo(200));
        _values["OLDTICKET"] = await TicketAsync("OLD", "OLDTOKEN");
        foreach ((string id, string token) in ((string, string)[])[("ID", "TOKEN"), ("BUSY", "BUSYTOKEN")])
            for (int i = 0; i < 16; i++)
            {
                RawConnection reader = await RawConnection.OpenAsync(Url);
                _readers.Add(reader);
                await reader.WriteAsync(RawRequest.Get(
                    $"/v1/session/{_values[id]}/stream?follow=1", $"X-Continuation-Token: {_values[token]}").Bytes(Url));
                Assert.That((await reader.ReadHeadAsync()).Status, Is.EqualTo(200));
            }
    }

    private async Task<string> TicketAsync(string id, string token) => (await _channel.AskAsync(
        RawRequest.Post($"/v1/session/{_values[id]}/ticket", "", $"X-Continuation-Token: {_values[token]}"))).Json.GetProperty("ticket").GetString()!;

    private async Task BeginAsync(string id, string token) => (_values[id], _values[token]) = await _channel.BeginAsync(Ann);

    private async Task ParkAsync(string id, string key, string then)
    {
        JsonElement parked = (await _channel.AskAsync(
            RawRequest.Post("/v1/session", $$"""{"do":"park","then":"{{then}}"}""", Ann))).Json;
        (_values[id], _values[key]) =
            (parked.GetProperty("sessionId").GetString()!, parked.GetProperty("wake").GetProperty("key").GetString()!);
        if (then.Length == 0)
            return;
        Assert.That((await _channel.AskAsync(
            RawRequest.Post($"/v1/session/{_values[id]}/signal/go", "1", $"Iris-Wake-Key: {_values[key]}"))).Status, Is.EqualTo(202));
        string token = $"X-Continuation-Token: {parked.GetProperty("continuationToken").GetString()}";
        await Patience.Until(async () =>   // the wake takes the place of a turn, of which there may be one
        {
            JsonElement now = (await _channel.AskAsync(RawRequest.Get($"/v1/session/{_values[id]}", Ann, token))).Json;
            return now.GetProperty("turn").GetInt64() == 2 && !now.GetProperty("inFlight").GetBoolean();
        });
    }

    private async Task<string> GoOnAsync(string id, string token, string field = "X: none") =>
        (await _channel.AskAsync(RawRequest.Post($"/v1/session/{id}/message", "{}", Ann, $"X-Continuation-Token: {token}", field)))
        .Json.GetProperty("continuationToken").GetString()!;

    private sealed class Adapter(Gate gate, bool webSockets) : IHostAdapter
    {
        public HostCapabilities Capabilities => new() { WebSockets = webSockets };

        public async ValueTask<TurnOutcome> RunTurnAsync(TurnContext turn, CancellationToken cancel = default)
        {
            if (turn.TryGetSignal("go", out _))
                return turn.State?.GetString() == "finish" ? TurnOutcome.Finished() : TurnOutcome.ParkedOnUser();
            switch (turn.Field("do"))
            {
                case "park":
                    return TurnOutcome.ParkedOnSignal("go", turn.Body.GetProperty("then"));
                case "throw":
                    throw new InvalidOperationException("secret");
                case "overload":
                    throw new HostOverloadedException("secret");
                case "contend":
                    return TurnOutcome.Contended(7);
                case "wait":
                    await gate.PassAsync();
                    break;
            }

            return TurnOutcome.ParkedOnUser();
        }
    }

    private sealed class BreakableStore(IStateStore inner) : PassingStore(inner)
    {
        public bool IsBroken { get; set; }

        public override ValueTask<CreateResult> CreateAsync(
            SessionId id, SessionSeed seed, LeaseRequest by, CancellationToken cancel = default) =>
            IsBroken ? throw new IOException("secret") : base.CreateAsync(id, seed, by, cancel);

        public override ValueTask<BeginResult> BeginAsync(
            SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default) =>
            IsBroken ? throw new IOException("secret") : base.BeginAsync(id, guard, by, cancel);

        public override ValueTask<SessionHead?> FindAsync(SessionId id, CancellationToken cancel = default) =>
            IsBroken ? throw new IOException("secret") : base.FindAsync(id, cancel);
    }
}
