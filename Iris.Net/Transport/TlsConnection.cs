using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;

namespace Iris.Net.Transport;

/// <summary>A connection encrypted over another. Its first read shakes hands, so that whoever bounds the wait for a first byte
/// bounds the handshake; before that nothing can be sent.</summary>
internal sealed class TlsConnection : Connection
{
    private const int Block = 4096;

    private readonly Connection _inner;
    private readonly TlsTerms _terms;
    private readonly CipherStream _cipher;
    private readonly SslStream _tls;
    private readonly TlsWriter _writer;
    private bool _isOpen;
    private bool _isBroken;
    private bool _isShut;

    public TlsConnection(Connection inner, TlsTerms terms)
    {
        _inner = inner;
        _terms = terms;
        _cipher = new CipherStream(inner);
        _tls = new SslStream(_cipher, leaveInnerStreamOpen: true);
        _writer = new TlsWriter(_tls);
        // A read of nothing waits without a block.
        Input = PipeReader.Create(new PlainStream(this), new StreamPipeReaderOptions(
            bufferSize: Block, leaveOpen: true, useZeroByteReads: true));
    }

    public override PipeReader Input { get; }

    public override PipeWriter Output => _writer;

    public override long Unsent => _writer.Unsent + _inner.Unsent;

    public override bool IsSending => _writer.IsSending;

    public override long Sent => _inner.Sent;

    public override bool IsAborted => _isBroken || _writer.IsBroken || _inner.IsAborted;

    public override EndPoint? Remote => _inner.Remote;

    public override EndPoint? Local => _inner.Local;

    public override bool IsSecure => true;

    public override bool IsUnix => _inner.IsUnix;

    public override void ShutdownSend()
    {
        if (_isShut)
            return;
        _isShut = true;
        _ = EndAsync();
    }

    public override void Abort() => _inner.Abort();

    public override UserCode Enter() => _inner.Enter();

    public override async ValueTask DisposeAsync()
    {
        ShutdownSend();
        _writer.Complete();
        await _inner.DisposeAsync().ConfigureAwait(false);
        await Input.CompleteAsync().ConfigureAwait(false);
        await _tls.DisposeAsync().ConfigureAwait(false);
    }

    // Mostly the system takes the few bytes at once, and this has ended when it returns.
    private async Task EndAsync()
    {
        try
        {
            if (_isOpen && !IsAborted && !IsSending)
                await _tls.ShutdownAsync().ConfigureAwait(false);
            if (!_inner.IsAborted && !_inner.IsSending)
                await _cipher.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (IsOfPeer(e))
        {
            // The peer was faster.
        }

        if (!_inner.IsAborted)
            _inner.ShutdownSend();
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancel)
    {
        if (_isBroken)
            return 0;
        try
        {
            if (!_isOpen)
                await OpenAsync(cancel).ConfigureAwait(false);
            return await _tls.ReadAsync(buffer, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (IsOfPeer(e))
        {
            _isBroken = true;
            return 0;
        }
    }

    private async ValueTask OpenAsync(CancellationToken cancel)
    {
        SslServerAuthenticationOptions terms = _terms.Now();
        try
        {
            await _tls.AuthenticateAsServerAsync(terms, cancel).ConfigureAwait(false);
            _isOpen = true;
        }
        finally
        {
            // What was cancelled half-way cannot be taken up again.
            _isBroken = !_isOpen;
        }
    }

    private static bool IsOfPeer(Exception e) =>
        e is IOException or AuthenticationException or ObjectDisposedException or InvalidOperationException;

    /// <summary>What was decrypted; a peer that is gone, or that broke the rules, ends it.</summary>
    private sealed class PlainStream(TlsConnection connection) : AsyncStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            connection.ReceiveAsync(buffer, cancellationToken);
    }
}
