using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Stores.Files;

namespace Iris.Net.Tests.Conformance;

/// <summary>A ticket opens one session's stream, by its URL alone, and nothing else.</summary>
public sealed class TicketTests
{
    private const string Ann = "Authorization: Bearer ann";
    private const string Stale = "stale or invalid continuationToken";

    private static RawRequest Ask(string id, string token, params string[] fields) =>
        RawRequest.Post($"/v1/session/{id}/ticket", "", [$"X-Continuation-Token: {token}", .. fields]);

    private static string? TypeOf(string message) => JsonElement.Parse(message).GetProperty("type").GetString();

    private static async Task<string> TicketAsync(Channel channel, string id, string token, params string[] fields)
    {
        RawResponse issued = await channel.AskAsync(Ask(id, token, fields));
        WireForm.CheckReply(issued);
        Assert.That(issued.Status, Is.EqualTo(200), issued.ToString());
        Assert.That(issued.Json.EnumerateObject().Select(m => m.Name), Is.EqualTo((string[])["ticket", "expiresIn"]));
        Assert.That(issued.Json.GetProperty("expiresIn").GetInt32(), Is.EqualTo(60));
        return issued.Json.GetProperty("ticket").GetString()!;
    }

    private static Task<RawResponse> StreamAsync(Channel channel, string id, string ticket, params string[] fields) =>
        channel.AskAsync(RawRequest.Get($"/v1/session/{id}/stream?ticket={ticket}", fields));

    private static void CheckStale(RawResponse refusal) => WireForm.CheckRefusal(refusal, 409, Stale, "stale-token");

    [TestCase(false)]
    [TestCase(true)]
    public async Task Opens_the_stream_of_its_session_without_the_token(bool isDurable)
    {
        using TempDirectory directory = new();
        await using FileStateStore? store = isDurable ? new FileStateStore(directory.Path) : null;
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with { Store = store, Authorize = Bearer.AskAsync });
        (string id, string token) = await channel.BeginAsync(Ann);
        string ticket = await TicketAsync(channel, id, token, Ann);
        Assert.That(ticket, Does.Match("^[A-Za-z0-9_-]{43,}$").And.Not.Contain(token).And.Not.Contain(id));
        foreach (string fields in (string[])["X: nobody asks who it is", "Authorization: Bearer bob", "Authorization: Bearer throw"])
        {
            RawResponse stream = await StreamAsync(channel, id, ticket, fields);
            Assert.That((stream.Status, stream["Content-Type"]), Is.EqualTo((200, "text/event-stream")), stream.ToString());
            string outcome = stream.Text.Split("\n\n").Select(frame => new RawEvent(frame)).Single(e => e.Type == "outcome").Data!;
            Assert.That(outcome, Does.StartWith($$"""{"type":"outcome","sessionId":"{{id}}","status":"finished","output":1""").And.EndWith("}"));
            Assert.That(stream.Text, Does.Not.Contain("continuationToken").And.Not.Contain(token));
        }
    }

    [Test]
    public async Task Opens_nothing_else()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with { Authorize = Bearer.AskAsync });
        (string id, string token) = await channel.BeginAsync(Ann);
        (string other, string _) = await channel.BeginAsync(Ann);
        string ticket = await TicketAsync(channel, id, token, Ann);
        CheckStale(await StreamAsync(channel, other, ticket));
        CheckStale(await StreamAsync(channel, "nowhere", ticket));
        CheckStale(await StreamAsync(channel, id, ticket + "&ticket=" + ticket));
        CheckStale(await StreamAsync(channel, id, ""));
        CheckStale(await StreamAsync(channel, id, token, Ann, $"X-Continuation-Token: {token}"));
        for (int i = 0; i < ticket.Length; i += 7)
            CheckStale(await StreamAsync(channel, id, ticket[..i] + (ticket[i] == 'A' ? 'B' : 'A') + ticket[(i + 1)..]));
        foreach ((string method, string path) in ((string, string)[])[
            ("GET", ""), ("GET", "/turn"), ("GET", "/timeline"), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/message"), ("POST", "/ticket"),
            ("POST", "/stream"), ("HEAD", "/stream")])
            Assert.That(
                (await channel.AskAsync(new RawRequest(method, $"/v1/session/{id}{path}?ticket={ticket}"))).Status, Is.EqualTo(401), method + path);
        foreach (string path in (string[])["", "/turn", "/timeline", "/stream"])
            CheckStale(await channel.AskAsync(RawRequest.Get($"/v1/session/{id}{path}", Ann, $"X-Continuation-Token: {ticket}")));
        Assert.That((await StreamAsync(channel, id, ticket)).Status, Is.EqualTo(200), "a wrong use spends nothing");
    }

    [Test]
    public async Task Over_a_WebSocket_it_starts_nothing()
    {
        int runs = 0;
        await using Channel channel = await Channel.StartAsync(
            (turn, cancel) =>
            {
                runs++;
                return Programs.Count(turn, cancel);
            },
            o => o with { Authorize = Bearer.AskAsync });
        (string id, string token) = await channel.BeginAsync(Ann);
        string ticket = await TicketAsync(channel, id, token, Ann);
        foreach (string query in (string[])[ticket, "x", ""])
        {
            await using RawConnection connection = await RawConnection.OpenAsync(channel.Url);
            await connection.WriteAsync((byte[])[
                .. RawRequest.Get($"/v1/ws?ticket={query}", RawWebSocket.HandshakeFields).Bytes(channel.Url), .. RawWebSocket.TextFrame("{}")]);
            Assert.That((await connection.ReadHeadAsync()).Status, Is.EqualTo(101));
            byte[] frame = await connection.ReadExactlyAsync(2);
            string error = System.Text.Encoding.UTF8.GetString(await connection.ReadExactlyAsync(frame[1]));
            Assert.That(JsonElement.Parse(error).GetProperty("code").GetString(), Is.EqualTo("stale-token"));
        }

        Assert.That(runs, Is.EqualTo(1));
    }

    [Test]
    public async Task Over_a_WebSocket_it_attaches_once_and_only_reads()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with { Authorize = Bearer.AskAsync });
        (string id, string token) = await channel.BeginAsync(Ann);
        string target = $"/v1/ws?ticket={await TicketAsync(channel, id, token, Ann)}";
        string attach = $$"""{"$iris":"attach","sessionId":"{{id}}"}""";
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url, [], RawWebSocket.TextFrame(attach), target);
        Assert.That(TypeOf(await socket.ReceiveTextAsync()), Is.EqualTo("attached"));
        await CheckOutcomeAsync();
        foreach (string message in (string[])["{}", $$"""{"continuationToken":"{{token}}"}""", """{"$iris":"cancel"}"""])
        {
            await socket.SendAsync(message);
            Assert.That(JsonElement.Parse(await socket.ReceiveTextAsync()).GetProperty("code").GetString(), Is.EqualTo("stale-token"), message);
        }

        RawResponse next = await channel.AskAsync(RawRequest.Post($"/v1/session/{id}/message", "{}", Ann, $"X-Continuation-Token: {token}"));
        Assert.That(next.Status, Is.EqualTo(200));
        await CheckOutcomeAsync();

        foreach (string first in (string[])[attach, $$"""{"$iris":"attach","sessionId":"another"}""", attach])
        {
            await using RawWebSocket again = await RawWebSocket.OpenAsync(channel.Url, [], RawWebSocket.TextFrame(first), target);
            Assert.That(JsonElement.Parse(await again.ReceiveTextAsync()).GetProperty("code").GetString(), Is.EqualTo("stale-token"));
        }

        async Task CheckOutcomeAsync()
        {
            JsonElement last;
            do
                last = JsonElement.Parse(await socket.ReceiveTextAsync().Within());
            while (last.GetProperty("type").GetString() != "outcome");
            Assert.That(last.TryGetProperty("continuationToken", out _), Is.False, "the token is its owner's");
        }
    }

    [Test]
    public async Task Only_the_current_token_gets_one()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        (string id, string spent) = await channel.BeginAsync();
        string token = (await channel.AskAsync(RawRequest.Post($"/v1/session/{id}/message", "{}", $"X-Continuation-Token: {spent}")))
            .Json.GetProperty("continuationToken").GetString()!;
        RawResponse refused = await channel.AskAsync(Ask(id, spent));
        CheckStale(refused);
        Assert.That(refused.Json.GetProperty("recover").GetString(), Is.EqualTo($"/v1/session/{id}/turn"));
        await TicketAsync(channel, id, token);
        await using Channel seed = await Channel.StartAsync(Programs.Count, o => o with { Compatibility = Compatibility.SeedExact });
        Assert.That((await seed.AskAsync(Ask(id, token))).Status, Is.EqualTo(404));
    }

    [Test]
    public async Task Is_good_for_a_minute_unused_and_for_a_minute_after_its_last_stream()
    {
        ManualTime time = new();
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(
            async (turn, _) =>
            {
                if (turn.Number > 1)
                    await gate.PassAsync();
                return TurnOutcome.Finished();
            },
            o => o with { Time = time });
        (string id, string token) = await channel.BeginAsync();
        string unused = await TicketAsync(channel, id, token), used = await TicketAsync(channel, id, token);
        time.Advance(60);
        Assert.That((await StreamAsync(channel, id, used)).Status, Is.EqualTo(200), "the last moment");
        time.Advance(1);
        CheckStale(await StreamAsync(channel, id, unused));
        time.Advance(59);
        Task<RawResponse> running = channel.AskAsync(RawRequest.Post($"/v1/session/{id}/message", "{}", $"X-Continuation-Token: {token}"));
        await gate.ReachedAsync();
        await using RawConnection one = await RawConnection.OpenAsync(channel.Url);
        await one.WriteAsync(RawRequest.Get($"/v1/session/{id}/stream?ticket={used}").Bytes(channel.Url));
        RawHead head = await one.ReadHeadAsync();
        Assert.That(head.Status, Is.EqualTo(200), "a minute after the last ended");
        RawEventStream stream = new(one);
        string first = (await stream.NextAsync())!.Field("id")!;
        time.Advance(600);
        await using RawConnection two = await RawConnection.OpenAsync(channel.Url);
        await two.WriteAsync(RawRequest.Get($"/v1/session/{id}/stream?ticket={used}", $"Last-Event-ID: {first}").Bytes(channel.Url));
        Assert.That((await two.ReadHeadAsync()).Status, Is.EqualTo(200), "one lives");
        two.Abort();
        gate.Open();
        await running;
        while (await stream.NextAsync() is { } told)
            Assert.That(told.Text, Does.Not.Contain("continuationToken"));
        await Patience.Until(async () =>
        {
            time.Advance(61);
            return (await StreamAsync(channel, id, used)).Status == 409;   // once both are known to be over
        });
    }

    [Test]
    public async Task Ends_with_its_session()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        (string id, string token) = await channel.BeginAsync();
        string ticket = await TicketAsync(channel, id, token), unused = await TicketAsync(channel, id, token);
        Assert.That((await StreamAsync(channel, id, ticket)).Status, Is.EqualTo(200));
        Assert.That((await channel.AskAsync(new RawRequest("DELETE", $"/v1/session/{id}", $"X-Continuation-Token: {token}"))).Status, Is.EqualTo(204));
        CheckStale(await StreamAsync(channel, id, ticket));
        CheckStale(await StreamAsync(channel, id, unused));
    }

    [Test]
    public async Task Another_process_opens_it_too_and_one_with_another_key_does_not()
    {
        using TempDirectory directory = new();
        byte[] key = [.. Enumerable.Repeat((byte)7, 32)], newer = [.. Enumerable.Repeat((byte)8, 32)];
        string id, token, ticket;
        await using (FileStateStore store = new(directory.Path))
        await using (Channel channel = await Channel.StartAsync(Programs.Count, o => o with { Store = store, Keys = [key] }))
        {
            (id, token) = await channel.BeginAsync();
            ticket = await TicketAsync(channel, id, token);
        }

        await using FileStateStore reopened = new(directory.Path);
        await using (Channel next = await Channel.StartAsync(Programs.Count, o => o with { Store = reopened, Keys = [newer, key] }))
            Assert.That((await StreamAsync(next, id, ticket)).Status, Is.EqualTo(200));
        await using Channel stranger = await Channel.StartAsync(Programs.Count, o => o with { Store = reopened, Keys = [newer] });
        CheckStale(await StreamAsync(stranger, id, ticket));
    }

    [TestCase(63, 200)]
    [TestCase(64, 503)]
    public async Task No_more_than_64_of_a_session_are_remembered(int before, int status)
    {
        ManualTime time = new();
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with { Time = time });
        (string id, string token) = await channel.BeginAsync();
        for (int i = 0; i < before; i++)
            Assert.That((await StreamAsync(channel, id, await TicketAsync(channel, id, token))).Status, Is.EqualTo(200));
        string last = await TicketAsync(channel, id, token);
        RawResponse answer = await StreamAsync(channel, id, last);
        Assert.That(answer.Status, Is.EqualTo(status), answer.ToString());
        if (status == 503)
            WireForm.CheckRefusal(answer, 503, "overloaded", "overloaded");
        time.Advance(61);
        Assert.That((await StreamAsync(channel, id, await TicketAsync(channel, id, token))).Status, Is.EqualTo(200), "the others are forgotten");
    }
}
