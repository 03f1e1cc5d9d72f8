using System.Text;
using System.Text.Json;
using Iris.Net.Sessions;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Sessions;

internal delegate ValueTask<TurnOutcome> TurnProgram(TurnContext turn, CancellationToken cancel);

/// <summary>A session host over a memory store, a program that a test changes as it goes, and time that the test moves.</summary>
internal sealed class SessionTester : IAsyncDisposable
{
    public static readonly TimeSpan TurnTimeout = TimeSpan.FromSeconds(60);

    public SessionTester(
        TurnProgram? program = null,
        Func<SessionSettings, SessionSettings>? change = null,
        IStateStore? store = null,
        Func<IStateStore, IStateStore>? wrap = null)
    {
        Program = program ?? ((_, _) => ValueTask.FromResult(TurnOutcome.ParkedOnUser()));
        Memory = new MemoryStateStore(time: Time);
        SessionSettings settings = new()
        {
            Adapter = HostAdapter.Create((turn, cancel) => Program(turn, cancel)),
            Store = store ?? wrap?.Invoke(Memory) ?? Memory,
            Time = Time,
            TurnTimeout = TurnTimeout,
            MaxConcurrentTurns = 100,
            MaxStepsPerTurn = 1000,
            ContendedRetry = TimeSpan.Zero,
            Failed = (what, e, _) =>
            {
                lock (Reports)
                    Reports.Add((what, e));
            },
        };
        Sessions = new SessionHost(change?.Invoke(settings) ?? settings);
        Sessions.OpenAsync().AsTask().GetAwaiter().GetResult();
    }

    public TurnProgram Program { get; set; }

    public ManualTime Time { get; } = new();

    public MemoryStateStore Memory { get; }

    public SessionHost Sessions { get; }

    public List<(string What, Exception Error)> Reports { get; } = [];

    /// <summary>A client without a session yet.</summary>
    public SessionTesterClient Client(string? principal = null) => new(Sessions, principal);

    /// <summary>All records of a session that its store still has.</summary>
    public async Task<List<string>> RecordsAsync(SessionId id) =>
        await Memory.ReadAsync(id, 0).Select(e => Encoding.UTF8.GetString(e.Utf8.Span)).ToListAsync();

    public async ValueTask DisposeAsync()
    {
        await Sessions.DisposeAsync();
        await Memory.DisposeAsync();
    }

    public static JsonElement Json(string json) => JsonElement.Parse(json);

    public static ReadOnlyMemory<byte> Utf8(string text) => Encoding.UTF8.GetBytes(text);
}

/// <summary>What a client knows: its session and its token.</summary>
internal sealed class SessionTesterClient(SessionHost sessions, string? principal)
{
    public SessionId Id { get; set; }

    public ReadOnlyMemory<byte> Token { get; set; }

    public string TokenText => Encoding.UTF8.GetString(Token.Span);

    /// <summary>Claims a turn without running it.</summary>
    public async Task<Admission> AdmitAsync(string body = "{}", string? key = null)
    {
        TurnRequest request = new(Encoding.UTF8.GetBytes(body), principal, key);
        Admission admission = Id.Value is null
            ? await sessions.Claims.StartAsync(request)
            : await sessions.Claims.ContinueAsync(Id, Token, request);
        if (admission.Turn is { } turn)
        {
            Id = turn.SessionId;
            if (Token.IsEmpty)
                Token = turn.PresentedToken;
        }

        return admission;
    }

    /// <summary>Claims a turn that must be admitted.</summary>
    public async Task<RunningTurn> BeginAsync(string body = "{}")
    {
        Admission admission = await AdmitAsync(body);
        Assert.That(admission.Refusal, Is.EqualTo(Refusal.None));
        return admission.Turn!;
    }

    /// <summary>Runs a turn that must be admitted, and takes the token that it leaves.</summary>
    public async Task<TurnEnd> SendAsync(string body = "{}") => Take(await (await BeginAsync(body)).RunAsync());

    /// <summary>Is refused.</summary>
    public async Task<Refusal> RefusedAsync(string body = "{}")
    {
        Admission admission = await AdmitAsync(body);
        Assert.That(admission.Turn, Is.Null);
        return admission.Refusal;
    }

    public TurnEnd Take(TurnEnd end)
    {
        Token = end.Token;
        return end;
    }

    /// <summary>Asks what became of the turn that the token started.</summary>
    public ValueTask<Admission> AskAsync() => sessions.Receipts.AskAsync(Id, Token, principal);

    /// <summary>The same client of another host.</summary>
    public SessionTesterClient At(SessionTester host) => new(host.Sessions, principal) { Id = Id, Token = Token };

    /// <summary>Another client of the same session with another token.</summary>
    public SessionTesterClient With(string token) => new(sessions, principal) { Id = Id, Token = Encoding.UTF8.GetBytes(token) };
}
