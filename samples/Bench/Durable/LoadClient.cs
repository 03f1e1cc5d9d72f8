using System.Net.Sockets;
using System.Text;

namespace Iris.Bench.Durable;

/// <summary>A client that continues one session as fast as it is answered: each turn presents the token that the one before
/// returned. An answer that is no committed turn ends the run.</summary>
internal sealed class LoadClient(Uri server)
{
    private const int TurnsASession = 10;

    private static ReadOnlySpan<byte> TokenName => "\"continuationToken\":\""u8;

    private readonly byte[] _received = new byte[4096];
    private string? _session, _token;

    /// <summary>How many turns were answered.</summary>
    public long Turns { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.Host, server.Port, stop);
        while (!stop.IsCancellationRequested)
        {
            await socket.SendAsync(Request(), stop);
            Take(await ReceiveAsync(socket));
            if (++Turns % TurnsASession == 0)
                _session = _token = null;
        }
    }

    private byte[] Request()
    {
        const string body = "{\"message\":\"hello\"}";
        string target = _session is null ? "/v1/session" : $"/v1/session/{_session}/message";
        string token = _token is null ? "" : $"X-Continuation-Token: {_token}\r\n";
        return Encoding.ASCII.GetBytes($"POST {target} HTTP/1.1\r\nHost: {server.Authority}\r\n{token}Content-Length: {body.Length}\r\n\r\n{body}");
    }

    // A reply ends with its JSON object, and is the only one on its way.
    private async Task<int> ReceiveAsync(Socket socket)
    {
        int length = 0;
        do
        {
            int read = await socket.ReceiveAsync(_received.AsMemory(length));
            if (read == 0)
                throw new IOException("The server closed the connection.");
            length += read;
        }
        while (_received[length - 1] != '}');
        return length;
    }

    private void Take(int length)
    {
        ReadOnlySpan<byte> reply = _received.AsSpan(0, length);
        if (!reply.StartsWith("HTTP/1.1 200 "u8))
            throw new IOException(Encoding.UTF8.GetString(reply));
        _session = Text(reply, "\"sessionId\":\""u8);
        string token = Text(reply, TokenName);
        if (token == _token)
            throw new IOException("The token did not rotate.");
        _token = token;
    }

    private static string Text(ReadOnlySpan<byte> reply, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> rest = reply[(reply.IndexOf(name) + name.Length)..];
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)'"')]);
    }
}
