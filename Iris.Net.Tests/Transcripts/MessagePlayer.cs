using System.Text;
using Iris.Net.Tests.Conformance;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Transcripts;

/// <summary>Plays the lines of a block <c>client</c> over one WebSocket and compares what comes with those of the block
/// <c>server</c>. Lines of the client: <c>text</c>, <c>ping</c> and <c>close</c> send a frame, <c>until TYPE</c> waits for
/// an event, <c>release</c> lets the program go on.</summary>
internal static class MessagePlayer
{
    public static async Task PlayAsync(Transcript transcript, Uri server, Gate gate)
    {
        Mask mask = new();
        List<string> came = [];
        IReadOnlyList<string> expected = transcript.Blocks.Single(block => block.Kind == "server").Lines;
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(server);
        foreach (string line in transcript.Blocks.Single(block => block.Kind == "client").Lines)
        {
            string[] words = line.Split(' ', 2);
            switch (words[0])
            {
                case "text":
                    await socket.SendAsync(mask.Fill(words[1]));
                    break;
                case "ping":
                    await socket.SendAsync(RawWebSocket.Ping, Encoding.UTF8.GetBytes(words[1]));
                    break;
                case "close":
                    await socket.SendCloseAsync(ushort.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture));
                    break;
                case "until":
                    while (!(await NextAsync()).StartsWith($"text {{\"type\":\"{words[1]}\"", StringComparison.Ordinal))
                    {
                    }

                    break;
                case "release":
                    gate.Open();
                    break;
                default:
                    throw new InvalidDataException($"a line '{line}'");
            }
        }

        while (came.Count < expected.Count)
            await NextAsync();
        if (came[^1].StartsWith("close", StringComparison.Ordinal))
            Assert.That(await socket.ReadToEndAsync(), Is.Empty);
        else
        {
            // Whatever else was on its way would come before this.
            await socket.SendAsync(RawWebSocket.Ping, "the end"u8);
            await NextAsync();
            Assert.That(came[^1], Is.EqualTo("pong the end"));
            came.RemoveAt(came.Count - 1);
        }

        Assert.That(came, Is.EqualTo(expected));

        async Task<string> NextAsync()
        {
            RawFrame frame = await socket.ReceiveAsync();
            came.Add(frame.Opcode switch
            {
                RawWebSocket.Message => $"text {mask.Cover(frame.Text)}",
                RawWebSocket.Pong => $"pong {frame.Text}",
                _ => frame.ToString(),
            });
            return came[^1];
        }
    }
}
