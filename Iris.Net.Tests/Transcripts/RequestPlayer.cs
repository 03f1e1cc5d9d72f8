using Iris.Net.Tests.Conformance;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Transcripts;

/// <summary>Plays requests and compares their answers: the status line, the content type, every field that the transcript
/// lists, and the body.</summary>
internal static class RequestPlayer
{
    public static async Task PlayAsync(Transcript transcript, Uri server, Gate gate)
    {
        Mask mask = new();
        List<RawConnection> held = [];
        RawRequest? asked = null;
        foreach (Block block in transcript.Blocks.Where(block => block.Kind != "options"))
        {
            switch (block.Kind)
            {
                case "request":
                    asked = RequestOf(block.Lines, mask);
                    break;
                case "request held":
                    RawConnection running = await RawConnection.OpenAsync(server);
                    held.Add(running);
                    await running.WriteAsync(RequestOf(block.Lines, mask).Bytes(server));
                    await gate.ReachedAsync();
                    break;
                case "response":
                    await using (RawConnection connection = await RawConnection.OpenAsync(server))
                        Compare(await connection.AskAsync(asked!), block.Lines, mask);
                    break;
                default:
                    throw new InvalidDataException($"a block of kind '{block.Kind}'");
            }
        }

        gate.Open();
        foreach (RawConnection running in held)
        {
            Assert.That((await running.ReadResponseAsync()).Status, Is.EqualTo(200), "the turn that was held");
            await running.DisposeAsync();
        }
    }

    private static RawRequest RequestOf(IReadOnlyList<string> lines, Mask mask)
    {
        string[] filled = lines.Select(mask.Fill).ToArray();
        int blank = Array.IndexOf(filled, "");
        string[] head = blank < 0 ? filled : filled[..blank];
        string[] first = head[0].Split(' ');
        return new RawRequest(first[0], first[1], head[1..])
        {
            Body = blank < 0 ? null : System.Text.Encoding.UTF8.GetBytes(string.Join('\n', filled[(blank + 1)..])),
        };
    }

    private static void Compare(RawResponse response, IReadOnlyList<string> lines, Mask mask)
    {
        int blank = lines.ToList().IndexOf("");
        string[] head = lines.Take(blank < 0 ? lines.Count : blank).ToArray();
        string body = blank < 0 ? "" : string.Join('\n', lines.Skip(blank + 1));
        bool streams = head.Contains("content-type: text/event-stream");
        string covered = mask.Cover(response.Text);
        Assert.Multiple(() =>
        {
            Assert.That(response.Head.StatusLine, Is.EqualTo(head[0]));
            Assert.That(response["content-type"], Is.EqualTo(Field(head, "content-type")));
            foreach (string field in head.Skip(1))
                Assert.That(response[field.Split(':')[0]], Is.EqualTo(Field(head, field.Split(':')[0])), field);
            Assert.That(response.Head.Fields.Select(field => field.Key), Has.None.StartsWith("Iris-").IgnoreCase);
            Assert.That(covered, Is.EqualTo(streams ? body.TrimEnd('\n') + "\n\n" : body));
        });
    }

    private static string? Field(string[] head, string name) =>
        head.FirstOrDefault(line => line.StartsWith(name + ": ", StringComparison.Ordinal))?[(name.Length + 2)..];
}
