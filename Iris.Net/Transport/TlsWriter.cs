using System.Net.Security;

namespace Iris.Net.Transport;

/// <summary>An encrypted connection's output: what one flush brings leaves in as few sends as it can.</summary>
internal sealed class TlsWriter(SslStream tls) : CollectingWriter
{
    protected override bool TrySend(ref BufferSegment? rest, ref int start) => false;

    protected override async ValueTask<int> SendAsync(BufferSegment rest, int start, CancellationToken cancel)
    {
        ReadOnlyMemory<byte> bytes = rest.Memory[start..];
        await tls.WriteAsync(bytes, cancel).ConfigureAwait(false);
        if (rest.Following is null)
            await tls.FlushAsync(cancel).ConfigureAwait(false);
        return bytes.Length;
    }
}
