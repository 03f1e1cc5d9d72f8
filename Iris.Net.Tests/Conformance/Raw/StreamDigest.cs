using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Iris.Net.Tests.Conformance.Raw;

/// <summary>Reads an event stream at little cost, and keeps a digest of what it told: the deltas joined, however they came.</summary>
internal sealed class StreamDigest : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly IncrementalHash _told = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ArrayBufferWriter<byte> _body = new();
    private PipeReader? _input;
    private bool _isOpen, _hasEnded;

    public int Outcomes { get; private set; }

    public int Gaps { get; private set; }

    public string? Digest { get; private set; }

    /// <summary>Asks for the stream, and waits until it is open.</summary>
    public async Task OpenAsync(Uri server, RawRequest request)
    {
        await _socket.ConnectAsync(server.Host, server.Port).Within();
        await _socket.SendAsync(request.Bytes(server));
        _input = PipeReader.Create(new NetworkStream(_socket), new StreamPipeReaderOptions(bufferSize: 16 * 1024));
        while (!_isOpen)
            await ReadAsync().Within();
    }

    /// <summary>Reads to the end of the body.</summary>
    public async Task ReadToEndAsync()
    {
        while (!_hasEnded)
            await ReadAsync();
        Assert.That(_body.WrittenCount, Is.Zero, "the body ends after an event");
        Digest = Convert.ToHexString(_told.GetHashAndReset());
    }

    public void Dispose()
    {
        _socket.Dispose();
        _told.Dispose();
    }

    private async Task ReadAsync()
    {
        ReadResult read = await _input!.ReadAsync();
        Assert.That(read.IsCompleted && read.Buffer.IsEmpty, Is.False, "the server closed the connection early");
        _input.AdvanceTo(Take(read.Buffer), read.Buffer.End);
    }

    // RFC 9112 section 7.1
    private SequencePosition Take(ReadOnlySequence<byte> bytes)
    {
        SequenceReader<byte> reader = new(bytes);
        _isOpen = _isOpen || reader.TryReadTo(out ReadOnlySequence<byte> _, "\r\n\r\n"u8);
        SequencePosition taken = reader.Position;
        while (_isOpen && !_hasEnded && reader.TryReadTo(out ReadOnlySpan<byte> line, "\r\n"u8)
            && Utf8Parser.TryParse(line, out int size, out int _, 'x') && reader.Remaining >= size + 2)
        {
            foreach (ReadOnlyMemory<byte> part in bytes.Slice(reader.Position, size))
                _body.Write(part.Span);
            reader.Advance(size + 2);
            taken = reader.Position;
            _hasEnded = size == 0;
            TakeEvents();
        }

        return taken;
    }

    private void TakeEvents()
    {
        ReadOnlySpan<byte> rest = _body.WrittenSpan;
        for (int end; (end = rest.IndexOf("\n\n"u8)) >= 0; rest = rest[(end + 2)..])
            Tell(rest[..end]);
        byte[] kept = rest.ToArray();
        _body.ResetWrittenCount();
        _body.Write(kept);
    }

    private void Tell(ReadOnlySpan<byte> told)
    {
        ReadOnlySpan<byte> data = "\ndata: "u8, delta = "{\"type\":\"delta\",\"text\":\""u8;
        int from = told.IndexOf(data);
        if (from < 0)
            return;
        ReadOnlySpan<byte> type = told[..from], json = told[(from + data.Length)..];
        json = json[..json.IndexOf((byte)'\n')];
        Gaps += type.SequenceEqual("event: gap"u8) ? 1 : 0;
        Outcomes += type.SequenceEqual("event: outcome"u8) ? 1 : 0;
        bool isDelta = json.StartsWith(delta);
        _told.AppendData(isDelta ? json[delta.Length..^2] : json);
    }
}
