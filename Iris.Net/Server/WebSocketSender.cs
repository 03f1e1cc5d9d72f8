using System.Buffers;
using System.IO.Pipelines;
using Iris.Net.WebSockets;

namespace Iris.Net.Server;

/// <summary>A WebSocket's one way out: what several callers queue leaves in order, all that there is in one send. Whoever uses the
/// output or the protocol locks this.</summary>
/// <param name="output">Takes the frames.</param>
/// <param name="protocol">Knows whether our close is written: behind it nothing goes out.</param>
/// <param name="deflater">Compresses whole messages; null where that was not agreed on.</param>
internal sealed class WebSocketSender(PipeWriter output, WebSocketProtocol protocol, MessageDeflater? deflater) : FlushOnce(output)
{
    private Opcode _unfinished;     // of the message that goes out in parts; Continuation for none

    /// <summary>Adds a whole message or a control frame.</summary>
    public void Queue(Opcode opcode, ReadOnlySpan<byte> payload)
    {
        lock (this)
        {
            if (!MayBegin(opcode))
                return;
            if (MayCompress(opcode) && deflater!.TryDeflate(payload, out ReadOnlySpan<byte> compressed))
                FrameWriter.Write(Output, opcode, compressed, isCompressed: true);
            else
                FrameWriter.Write(Output, opcode, payload);
            deflater?.Release();
        }
    }

    /// <summary>Adds a whole message.</summary>
    public void Queue(Opcode opcode, in ReadOnlySequence<byte> payload)
    {
        lock (this)
        {
            if (!MayBegin(opcode))
                return;
            if (MayCompress(opcode) && deflater!.TryDeflate(payload, out ReadOnlySpan<byte> compressed))
                FrameWriter.Write(Output, opcode, compressed, isCompressed: true);
            else
                FrameWriter.Write(Output, opcode, payload);
            deflater?.Release();
        }
    }

    /// <summary>Adds a fragment of a message (RFC 6455 section 5.4): the first begins it.</summary>
    /// <exception cref="InvalidOperationException">A message of the other kind is unfinished.</exception>
    public void QueuePart(Opcode opcode, in ReadOnlySequence<byte> payload, bool isLast)
    {
        lock (this)
        {
            bool begins = _unfinished == Opcode.Continuation;
            if (!begins && _unfinished != opcode)
                throw new InvalidOperationException("A message of the other kind is unfinished.");
            if (protocol.IsCloseWritten)
                return;
            FrameWriter.Write(Output, begins ? opcode : Opcode.Continuation, payload, isLast);
            _unfinished = isLast ? Opcode.Continuation : opcode;
        }
    }

    /// <summary>Adds our close, once; false where it was written before.</summary>
    public bool TryQueueClose(WebSocketCloseCode code, string reason)
    {
        lock (this)
            return protocol.WriteClose(Output, code, reason);
    }

    private bool MayCompress(Opcode opcode) => deflater is not null && (opcode is Opcode.Text or Opcode.Binary);

    // Control frames may stand between the fragments of a message, other messages may not.
    private bool MayBegin(Opcode opcode)
    {
        if (_unfinished != Opcode.Continuation && opcode is Opcode.Text or Opcode.Binary)
            throw new InvalidOperationException("A message that goes out in parts is unfinished.");
        return !protocol.IsCloseWritten;
    }
}
