using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Iris.Net.Tests.Conformance.Raw;

/// <summary>A TCP connection of which every byte is the test's own, so that nothing hides behind a client library.</summary>
internal sealed class RawConnection : IAsyncDisposable
{
    private readonly Socket _socket;
    private byte[] _buffer = new byte[4096];
    private int _start;
    private int _end;

    private RawConnection(Socket socket, Uri server) => (_socket, Server) = (socket, server);

    public Uri Server { get; }

    public static async Task<RawConnection> OpenAsync(Uri server)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.Host, server.Port).Within();
        return new RawConnection(socket, server);
    }

    public Task WriteAsync(string text) => WriteAsync(Encoding.UTF8.GetBytes(text));

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await _socket.SendAsync(bytes).AsTask().Within()..];
    }

    /// <summary>Writes a request and reads its answer.</summary>
    public async Task<RawResponse> AskAsync(RawRequest request)
    {
        await WriteAsync(request.Bytes(Server));
        return await ReadResponseAsync(request.Method);
    }

    public async Task<RawResponse> ReadResponseAsync(string method = "GET")
    {
        RawHead head = await ReadHeadAsync();
        return new RawResponse(head, await ReadBodyAsync(head, method));
    }

    public async Task<RawHead> ReadHeadAsync()
    {
        string status = await ReadLineAsync();
        List<KeyValuePair<string, string>> fields = [];
        while (await ReadLineAsync() is { Length: > 0 } line)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            Assert.That(colon, Is.GreaterThan(0), $"a field line without name: {line}");
            fields.Add(new(line[..colon], line[(colon + 1)..].Trim()));
        }

        return new RawHead(status, fields);
    }

    public async Task<byte[]> ReadBodyAsync(RawHead head, string method = "GET")
    {
        if (method == "HEAD" || head.Status is < 200 or 204 or 304)
            return [];
        if (head["Transfer-Encoding"] == "chunked")
        {
            using MemoryStream body = new();
            while (await ReadChunkAsync() is { Length: > 0 } chunk)
                body.Write(chunk);
            return body.ToArray();
        }

        return head["Content-Length"] is { } length
            ? await ReadExactlyAsync(int.Parse(length, NumberStyles.None, CultureInfo.InvariantCulture))
            : await ReadToEndAsync();
    }

    /// <summary>One chunk's data; the last chunk, with its empty trailer, is empty.</summary>
    public async Task<byte[]> ReadChunkAsync()
    {
        int size = int.Parse(await ReadLineAsync(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        byte[] data = await ReadExactlyAsync(size);
        Assert.That(await ReadLineAsync(), Is.Empty, "the line end after a chunk");
        return data;
    }

    public async Task<byte[]> ReadExactlyAsync(int count)
    {
        while (_end - _start < count)
        {
            if (!await FillAsync())
                throw new AssertionException($"The server closed the connection {count - (_end - _start)} bytes early.");
        }

        byte[] data = _buffer[_start..(_start + count)];
        _start += count;
        return data;
    }

    public async Task<byte[]> ReadToEndAsync()
    {
        while (await FillAsync())
        {
        }

        byte[] rest = _buffer[_start.._end];
        _start = _end;
        return rest;
    }

    /// <summary>The end of what we send; the server may go on sending.</summary>
    public void ShutdownSend() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Goes away as a process does that is killed: with a reset.</summary>
    public void Abort()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<string> ReadLineAsync()
    {
        int seen = 0;
        int end;
        while ((end = _buffer.AsSpan(_start + seen, _end - _start - seen).IndexOf((byte)'\n')) < 0)
        {
            seen = _end - _start;
            if (!await FillAsync())
            {
                string had = Encoding.Latin1.GetString(_buffer, _start, _end - _start);
                throw new AssertionException($"The server closed the connection inside a line: '{had}'");
            }
        }

        string line = Encoding.Latin1.GetString(_buffer, _start, seen + end);
        _start += seen + end + 1;
        Assert.That(line, Does.EndWith("\r"), "every line of a head ends with CRLF");
        return line[..^1];
    }

    private async Task<bool> FillAsync()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
            Array.Resize(ref _buffer, 2 * _buffer.Length);
        int read = await _socket.ReceiveAsync(_buffer.AsMemory(_end)).AsTask().Within();
        _end += read;
        return read > 0;
    }
}
