using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>A client over POST, buffered or streamed; the token goes in the header, so that any JSON can be a body.</summary>
internal sealed class HttpSessionClient(Uri server, bool streams, params string[] with) : SessionClient
{
    private RawConnection? _idle;

    /// <summary>A second client of the same session.</summary>
    public HttpSessionClient Twin() => new(server, streams, with) { SessionId = SessionId, Token = Token };

    public static HttpSessionClient Of(Uri server, bool streams, string sessionId, string token) =>
        new(server, streams) { SessionId = sessionId, Token = token };

    public override async Task<RunningTurn> BeginAsync(string body, string? present = null)
    {
        RawConnection connection = Interlocked.Exchange(ref _idle, null) ?? await RawConnection.OpenAsync(server);
        List<string> fields = ["Content-Type: application/json", .. with];
        if (streams)
            fields.Add("Accept: text/event-stream");
        if (SessionId is not null && (present ?? Token) is { } token)
            fields.Add($"X-Continuation-Token: {token}");
        string target = SessionId is null ? "/v1/session" : $"/v1/session/{SessionId}/message";
        await connection.WriteAsync(RawRequest.Post(target, body, [.. fields]).Bytes(server));
        return new Turn(this, connection);
    }

    public override ValueTask DisposeAsync() => _idle?.DisposeAsync() ?? ValueTask.CompletedTask;

    private sealed class Turn(HttpSessionClient client, RawConnection connection) : RunningTurn
    {
        private RawHead? _head;
        private RawEventStream? _stream;
        private JsonElement _last;

        public override void Leave() => connection.Abort();

        protected override async Task<JsonElement?> ReadAsync()
        {
            if (_head is null)
            {
                _head = await connection.ReadHeadAsync();
                if (_head["Content-Type"] == "text/event-stream")
                    _stream = Open(_head);
                else if (client.IsStreaming)
                    Assert.That(_head.Status, Is.GreaterThanOrEqualTo(400), "only a refusal is no stream");
            }

            while (_stream is { HasEnded: false } && await _stream.NextAsync() is { } next)
            {
                if (next.Data is not { } data)
                    continue;
                JsonElement read = JsonElement.Parse(data);
                Assert.That(data, Does.StartWith($"{{\"type\":\"{next.Type}\""));
                if (next.Type is "record" or "delta")
                    return read;
                Assert.That(next.Type, Is.EqualTo("outcome").Or.EqualTo("error"));
                _last = read;
                Assert.That((await _stream.NextAsync())?.Data, Is.Null, "nothing comes after the last event");
                return null;
            }

            return null;
        }

        protected override async Task<TurnReply> LastAsync(IReadOnlyList<JsonElement> events)
        {
            if (_stream is null)
            {
                RawResponse reply = new(_head!, await connection.ReadBodyAsync(_head!));
                _last = reply.Json;
                if (reply.Status == 200)
                {
                    WireForm.CheckReply(reply);
                    WireForm.CheckOutcome(_last, isEvent: false);
                }
                else
                    WireForm.CheckRefusal(reply);
            }
            else if (_last.GetProperty("type").ValueEquals("outcome"))
                WireForm.CheckOutcome(_last, isEvent: true);
            else
                WireForm.CheckError(_last);
            if (_head!["Connection"] != "close")
                client._idle = connection;
            return client.Learn(new TurnReply(_last, events));
        }

        private RawEventStream Open(RawHead head)
        {
            Assert.That(client.IsStreaming, "an event stream that nobody asked for");
            Assert.That((head.Status, head["Cache-Control"], head["Transfer-Encoding"]), Is.EqualTo((200, "no-cache", "chunked")));
            return new RawEventStream(connection);
        }
    }

    private bool IsStreaming => streams;
}
