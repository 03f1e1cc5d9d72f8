using System.Text.Json;

namespace Iris.Net.Tests.Conformance;

/// <summary>The three ways to run a turn.</summary>
public enum Face
{
    Json,
    Sse,
    WebSocket,
}

/// <summary>A client of one session: it starts one, then continues it, and checks the form of all that it gets.</summary>
internal abstract class SessionClient : IAsyncDisposable
{
    /// <summary>The session's id, once a reply told it.</summary>
    public string? SessionId { get; protected set; }

    /// <summary>The token of the last reply.</summary>
    public string? Token { get; protected set; }

    /// <summary>Sends a body as the next message of the session, without waiting for the turn's end.</summary>
    /// <param name="body">Any JSON; an object where <paramref name="present"/> is given.</param>
    /// <param name="present">Another token than the current one.</param>
    public abstract Task<RunningTurn> BeginAsync(string body, string? present = null);

    public async Task<TurnReply> SendAsync(string body, string? present = null) =>
        await (await BeginAsync(body, present)).EndAsync();

    public abstract ValueTask DisposeAsync();

    protected TurnReply Learn(TurnReply reply)
    {
        if (reply.Status is null)
            return reply;
        if (SessionId is not null)
            Assert.That(reply.SessionId, Is.EqualTo(SessionId), "a session keeps its id");
        (SessionId, Token) = (reply.SessionId, reply.Token);
        return reply;
    }
}

/// <summary>A turn that a client began.</summary>
internal abstract class RunningTurn
{
    private readonly List<JsonElement> _events = [];

    /// <summary>The next record or delta; null at the turn's end, and always where the face shows none.</summary>
    public async Task<JsonElement?> NextAsync()
    {
        if (await ReadAsync() is not { } read)
            return null;
        _events.Add(read);
        return read;
    }

    /// <summary>The next delta's text; a record before it is skipped.</summary>
    public async Task<string> NextDeltaAsync()
    {
        while (await NextAsync() is { } next)
        {
            if (next.GetProperty("type").ValueEquals("delta"))
                return next.GetProperty("text").GetString()!;
        }

        throw new AssertionException("The turn ended without another delta.");
    }

    /// <summary>The turn's reply, with all events of the turn.</summary>
    public async Task<TurnReply> EndAsync()
    {
        while (await NextAsync() is not null)
        {
        }

        return await LastAsync(_events);
    }

    /// <summary>Goes away without a word.</summary>
    public abstract void Leave();

    protected abstract Task<JsonElement?> ReadAsync();

    protected abstract Task<TurnReply> LastAsync(IReadOnlyList<JsonElement> events);
}
