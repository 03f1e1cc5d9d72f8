using System.IO.Compression;

namespace Iris.Net.Server;

/// <summary>How a WebSocket route compresses messages (permessage-deflate, RFC 7692) for clients that offer it. A message's
/// length then tells of its content: do not compress secrets together with text that others choose.</summary>
public sealed record WebSocketCompression
{
    /// <summary>How hard the server tries. Default <see cref="CompressionLevel.Fastest"/>.</summary>
    public CompressionLevel Level { get; init; } = CompressionLevel.Fastest;

    /// <summary>True: messages may refer to those before, unless the client wants otherwise. They get smaller, and each
    /// connection keeps about 300 KiB. Default false: each message by itself, and an idle connection keeps nothing.</summary>
    public bool ContextTakeover { get; init; }

    /// <summary>The shortest message that the server compresses, in bytes, 1 at least. Default 256: in less there is little
    /// to be gained.</summary>
    public int MinMessageSize
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = 256;
}
