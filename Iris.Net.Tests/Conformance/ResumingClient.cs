using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>A client of one session's streams: keeps what it got, and goes on behind the last id.</summary>
internal sealed class ResumingClient(Uri url)
{
    public Uri Url { get; private set; } = url;

    public string SessionId { get; private set; } = "";

    public string Token { get; set; } = "";

    public string? LastId { get; private set; }

    public List<string> Ids { get; } = [];

    public List<string> Records { get; } = [];

    public List<JsonElement> Gaps { get; } = [];

    public string Text { get; private set; } = "";

    public JsonElement? Outcome { get; private set; }

    /// <summary>Starts a session and reads so many events of its first turn; then the connection is gone.</summary>
    public async Task StartAsync(int events, string body = "{}")
    {
        await using RawConnection connection = await RawConnection.OpenAsync(Url);
        await connection.WriteAsync(RawRequest.Post("/v1/session", body, "Accept: text/event-stream").Bytes(Url));
        RawHead head = await connection.ReadHeadAsync();
        Assert.That((head.Status, head["X-Accel-Buffering"], head["Iris-Turn"]), Is.EqualTo((200, "no", "1")));
        (SessionId, Token) = (head["Iris-Session-Id"]!, head["Iris-Start-Token"]!);
        await TakeAsync(new RawEventStream(connection), events);
        connection.Abort();
    }

    /// <summary>Goes on for so many events.</summary>
    /// <param name="events">How many.</param>
    /// <param name="query">The target's query.</param>
    /// <param name="opened">Is told once the server follows.</param>
    /// <returns>The status.</returns>
    public async Task<int> ResumeAsync(int events = int.MaxValue, string query = "", TaskCompletionSource? opened = null)
    {
        int status = 503;
        await Patience.Until(async () =>
        {
            await using RawConnection connection = await RawConnection.OpenAsync(Url);
            await connection.WriteAsync(Request(query).Bytes(Url));
            RawHead head = await connection.ReadHeadAsync();
            status = head.Status;
            opened?.TrySetResult();
            if (status == 200)
                await TakeAsync(new RawEventStream(connection), events);
            else if (status == 503)
                Assert.That(head["Iris-Refusal"], Is.EqualTo("overloaded"));   // the server has still to notice that others are gone
            connection.Abort();
            return status != 503;
        });
        return status;
    }

    /// <summary>Goes on over a WebSocket for so many events.</summary>
    public async Task AttachAsync(int events)
    {
        await Patience.Until(async () =>
        {
            await using RawWebSocket socket = await RawWebSocket.OpenAsync(Url);
            await socket.SendAsync(AttachMessage());
            string answer = await socket.ReceiveTextAsync();
            if (!answer.StartsWith("{\"type\":\"attached\"", StringComparison.Ordinal))
            {
                Assert.That(answer, Does.Contain("\"code\":\"overloaded\""));   // as above
                return false;
            }

            bool isGap = false;
            for (; (events > 0 || isGap) && Outcome is null; events--)
            {
                string message = await socket.ReceiveTextAsync();
                isGap = message.StartsWith("{\"type\":\"gap\"", StringComparison.Ordinal);
                TakeMessage(message);
            }

            socket.Abort();
            return true;
        });
    }

    public string AttachMessage() => JsonSerializer.Serialize(new Dictionary<string, string?>
    {
        ["$iris"] = "attach",
        ["sessionId"] = SessionId,
        ["continuationToken"] = Token,
        ["after"] = LastId,
    });

    /// <summary>Takes an event of a WebSocket, whose id is its last field.</summary>
    public void TakeMessage(string message)
    {
        JsonProperty last = JsonElement.Parse(message).EnumerateObject().Last();
        Assert.That(last.Name, Is.EqualTo("id"), message);
        string type = JsonElement.Parse(message).GetProperty("type").GetString()!;
        string data = message[..message.LastIndexOf(",\"id\":", StringComparison.Ordinal)] + "}";
        Take(new RawEvent($"event: {type}\ndata: {data}\nid: {last.Value.GetString()}"));
    }

    public RawRequest Request(string query = "") => RawRequest.Get(
        $"/v1/session/{SessionId}/stream{query}",
        [$"X-Continuation-Token: {Token}", .. LastId is null ? Array.Empty<string>() : [$"Last-Event-ID: {LastId}"]]);

    public void Forget() => LastId = null;

    /// <summary>The server has another address from now on.</summary>
    public void MoveTo(Uri url) => Url = url;

    /// <summary>Another attempt begins: how the one before ended is no outcome.</summary>
    public void Restart() => Outcome = null;

    private static long SeqOf(JsonElement told) => told.GetProperty("record").GetProperty("seq").GetInt64();

    public void Take(RawEvent next)
    {
        if (next.Field("id") is { } id)
            LastId = id;
        if (next.Data is not { } data)
            return;
        Ids.Add(LastId!);
        JsonElement json = JsonElement.Parse(data);
        switch (next.Type)
        {
            case "record":
                // Where a crash took back what was told, the turn is told from its start.
                Records.RemoveAll(told => Gaps.Count > 0 && SeqOf(JsonElement.Parse(told)) >= SeqOf(json));
                Records.Add(data);
                break;
            case "delta":
                Text += json.GetProperty("text").GetString();
                break;
            case "gap":
                Gaps.Add(json);
                if (json.GetProperty("lost").GetString() == "attempt")
                    Text = "";
                break;
            default:
                Outcome = json;
                break;
        }
    }

    private async Task TakeAsync(RawEventStream stream, int events)
    {
        bool isGap = false;   // what is said to be missing moves nobody on: nobody goes away behind it
        int silent = 0;
        while ((events > 0 || isGap) && await stream.NextAsync() is { } next)
        {
            Take(next);
            silent = next.Text == ": hb" ? silent + 1 : 0;
            Assert.That(silent, Is.LessThan(3), "the stream lives and tells nothing");
            isGap = next.Type == "gap";
            if (next.Data is not null)
                events--;
        }
    }
}
