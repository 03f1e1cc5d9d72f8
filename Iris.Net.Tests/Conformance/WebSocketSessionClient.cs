using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>A client over one WebSocket; it presents a token only where it is told to.</summary>
internal sealed class WebSocketSessionClient(Uri server) : SessionClient
{
    private RawWebSocket? _socket;

    public override async Task<RunningTurn> BeginAsync(string body, string? present = null)
    {
        _socket ??= await RawWebSocket.OpenAsync(server);
        await _socket.SendAsync(present is null ? body : Programs.WithToken(body, present));
        return new Turn(this, _socket);
    }

    public override ValueTask DisposeAsync() => _socket?.DisposeAsync() ?? ValueTask.CompletedTask;

    private sealed class Turn(WebSocketSessionClient client, RawWebSocket socket) : RunningTurn
    {
        private JsonElement _last;

        public override void Leave() => socket.Abort();

        protected override async Task<JsonElement?> ReadAsync()
        {
            if (_last.ValueKind != JsonValueKind.Undefined)
                return null;
            JsonElement read = JsonElement.Parse(await socket.ReceiveTextAsync());
            Assert.That(read.EnumerateObject().First().Name, Is.EqualTo("type"));
            string type = read.GetProperty("type").GetString()!;
            if (type is "record" or "delta")
                return read;
            Assert.That(type, Is.EqualTo("outcome").Or.EqualTo("error"));
            _last = read;
            return null;
        }

        protected override Task<TurnReply> LastAsync(IReadOnlyList<JsonElement> events)
        {
            if (_last.GetProperty("type").ValueEquals("outcome"))
                WireForm.CheckOutcome(_last, isEvent: true);
            else
                WireForm.CheckError(_last);
            return Task.FromResult(client.Learn(new TurnReply(_last, events)));
        }
    }
}
