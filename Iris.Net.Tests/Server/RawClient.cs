using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Iris.Net.Tests.Server;

/// <summary>A peer that sends exactly the bytes it is told to, and reads responses strictly.</summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    private RawClient(Socket socket) => Socket = socket;

    public Socket Socket { get; }

    public static async Task<RawClient> ConnectAsync(Uri server, int? receiveBuffer = null)
    {
        bool isUnix = server.Scheme == "unix";
        Socket socket = isUnix
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer is { } size)
            socket.ReceiveBufferSize = size;
        EndPoint at = isUnix ? new UnixDomainSocketEndPoint(server.AbsolutePath) : new IPEndPoint(IPAddress.Parse(server.Host), server.Port);
        await socket.ConnectAsync(at);
        return new RawClient(socket);
    }

    public Task SendAsync(string latin1) => SendAsync(Encoding.Latin1.GetBytes(latin1));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await Socket.SendAsync(bytes)..];
    }

    public void ShutdownSend() => Socket.Shutdown(SocketShutdown.Send);

    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Dispose();
    }

    /// <summary>Reads one response, interim ones too.</summary>
    public async Task<RawResponse> ReadAsync(bool toHead = false)
    {
        string[] status = (await ReadLineAsync()).Split(' ', 3);
        Assert.That(status[0], Is.EqualTo("HTTP/1.1"));
        List<(string Name, string Value)> headers = [];
        for (string line; (line = await ReadLineAsync()).Length > 0;)
        {
            int colon = line.IndexOf(':');
            headers.Add((line[..colon], line[(colon + 1)..].Trim(' ')));
        }

        var response = new RawResponse(int.Parse(status[1], CultureInfo.InvariantCulture), headers);
        if (toHead || response.Status is < 200 or 204 or 304)
            return response;
        if (response["Transfer-Encoding"] == "chunked")
            return response with { Body = await ReadChunksAsync(response.Chunks) };
        return response["Content-Length"] is { } length
            ? response with { Body = await ReadBytesAsync(int.Parse(length, CultureInfo.InvariantCulture)) }
            : response with { Body = await ReadToEndAsync() };
    }

    public async Task<string> ReadBytesAsync(int count)
    {
        var text = new StringBuilder();
        while (count > 0)
        {
            if (_start == _end)
                Assert.That(await FillAsync(), Is.True, "The connection ended too early.");
            int taken = Math.Min(count, _end - _start);
            text.Append(Encoding.Latin1.GetString(_buffer, _start, taken));
            _start += taken;
            count -= taken;
        }

        return text.ToString();
    }

    /// <summary>Reads until the peer ends the connection in good order; a reset throws.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var text = new StringBuilder();
        do
        {
            text.Append(Encoding.Latin1.GetString(_buffer, _start, _end - _start));
            _start = _end;
        }
        while (await FillAsync());
        return text.ToString();
    }

    /// <summary>Reads so many bytes, or fewer where a text has come.</summary>
    public async Task<string> ReadUntilAsync(string text, int most = int.MaxValue)
    {
        var read = new StringBuilder();
        while (read.Length < most && !read.ToString().Contains(text, StringComparison.Ordinal))
            read.Append(await ReadBytesAsync(1));
        return read.ToString();
    }

    public void Dispose() => Socket.Dispose();

    private async Task<string> ReadChunksAsync(List<string> chunks)
    {
        while (true)
        {
            int size = int.Parse(await ReadLineAsync(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            string data = await ReadBytesAsync(size);
            Assert.That(await ReadLineAsync(), Is.Empty);
            if (size == 0)
                return string.Concat(chunks);
            chunks.Add(data);
        }
    }

    private async Task<string> ReadLineAsync()
    {
        var line = new StringBuilder();
        while (!line.ToString().EndsWith("\r\n", StringComparison.Ordinal))
            line.Append(await ReadBytesAsync(1));
        return line.ToString(0, line.Length - 2);
    }

    private async Task<bool> FillAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        _start = 0;
        _end = await Socket.ReceiveAsync(_buffer.AsMemory(), patience.Token);
        return _end > 0;
    }
}

internal sealed record RawResponse(int Status, List<(string Name, string Value)> Headers)
{
    public string Body { get; init; } = "";

    public List<string> Chunks { get; } = [];

    public string? this[string name] =>
        Headers.Where(field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(field => field.Value).SingleOrDefault();
}
