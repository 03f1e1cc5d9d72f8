using System.Net.Sockets;
using System.Text;

namespace Iris.Net.Tests.Serve;

/// <summary>The diagnostic port of another .NET process, by its documented protocol.</summary>
internal static class RuntimeDiagnostics
{
    private const byte TracingCommands = 2, CollectTracing = 3;

    // Turning on this keyword of the runtime's events induces a full collection.
    private const long GCHeapCollect = 0x800000;

    /// <summary>Lets the process collect all its garbage, and waits until it has.</summary>
    public static async Task CollectAsync(int process)
    {
        // A process that was killed left its own behind, and its number may be used again.
        string path = Directory.GetFiles(Path.GetTempPath(), $"dotnet-diagnostic-{process}-*-socket").MaxBy(File.GetLastWriteTimeUtc)!;
        // What the first finalizes, the second frees; what is empty then goes back to the system with the next ones.
        for (int round = 0; round < 5; round++)
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
            using MemoryStream payload = new();
            using BinaryWriter write = new(payload, Encoding.Unicode);
            write.Write(1);                         // MiB of buffer
            write.Write(1);                         // the format: nettrace
            write.Write(false);                     // no rundown
            write.Write(1);                         // providers
            write.Write(GCHeapCollect | 1);         // with the collections' own events
            write.Write(4);                         // informational
            WriteText(write, "Microsoft-Windows-DotNETRuntime");
            WriteText(write, "");
            using MemoryStream message = new();
            using BinaryWriter head = new(message);
            head.Write("DOTNET_IPC_V1\0"u8);
            head.Write((ushort)(20 + payload.Length));
            head.Write(TracingCommands);
            head.Write(CollectTracing);
            head.Write((ushort)0);
            head.Write(payload.ToArray());
            await socket.SendAsync(message.ToArray());
            // The answer's head, then events: the collection has begun before the first of them.
            byte[] answer = new byte[64 * 1024];
            int had = await socket.ReceiveAsync(answer);
            Assert.That(answer[17], Is.Zero, "the command was refused");
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            try
            {
                while (had > 0)
                    had = await socket.ReceiveAsync(answer, patience.Token);
            }
            catch (OperationCanceledException)
            {
                // Closing the connection ends the session.
            }
        }
    }

    private static void WriteText(BinaryWriter write, string text)
    {
        write.Write(text.Length + 1);
        write.Write(Encoding.Unicode.GetBytes(text + "\0"));
    }
}
