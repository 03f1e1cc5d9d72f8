using System.Net.Sockets;

namespace Iris.Net.Transport;

/// <summary>A socket's output. What was collected leaves in one send; only what the system does not take at once is waited
/// for.</summary>
internal sealed class SocketWriter(PeerSocket socket) : CollectingWriter
{
    private List<ArraySegment<byte>>? _several;

    protected override ValueTask<int> SendAsync(BufferSegment rest, int start, CancellationToken cancel) =>
        socket.Socket.SendAsync(rest.Memory[start..], SocketFlags.None, cancel);

    protected override bool TrySend(ref BufferSegment? rest, ref int start)
    {
        while (rest is not null)
        {
            int count = rest.Following is null
                ? socket.Send(rest.Memory.Span[start..], out SocketError error)
                : socket.Send(Several(rest, start), out error);
            if (error is not (SocketError.Success or SocketError.WouldBlock or SocketError.TryAgain or SocketError.Interrupted))
                throw new SocketException((int)error);
            Take(count, ref rest, ref start);
            if (error is SocketError.WouldBlock or SocketError.TryAgain)
                return rest is null;
        }

        return true;
    }

    private List<ArraySegment<byte>> Several(BufferSegment rest, int start)
    {
        List<ArraySegment<byte>> several = _several ??= [];
        several.Clear();
        for (BufferSegment? segment = rest; segment is not null && segment.TryGetArray(start, out ArraySegment<byte> array);
            segment = segment.Following)
        {
            several.Add(array);
            start = 0;
        }

        return several;
    }
}
