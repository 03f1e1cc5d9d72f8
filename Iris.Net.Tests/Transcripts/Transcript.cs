namespace Iris.Net.Tests.Transcripts;

/// <summary>One heading of a Markdown file: what is sent, and what must come of it, block for block.</summary>
internal sealed record Transcript(string Name, IReadOnlyList<Block> Blocks)
{
    /// <summary>The lines of the block <c>options</c>: what the channel is set to beside its mode.</summary>
    public IReadOnlyList<string> Options => Blocks.Where(block => block.Kind == "options").SelectMany(block => block.Lines).ToArray();

    public static IEnumerable<Transcript> Read(string file)
    {
        string? name = null;
        List<Block> blocks = [];
        List<string>? open = null;
        string kind = "";
        foreach (string line in File.ReadLines(file))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                if (open is null)
                    (open, kind) = ([], line[3..].Trim());
                else
                {
                    blocks.Add(new Block(kind, open));
                    open = null;
                }
            }
            else if (open is not null)
                open.Add(line);
            else if (line.StartsWith("## ", StringComparison.Ordinal))
            {
                if (name is not null)
                    yield return new Transcript(name, blocks);
                (name, blocks) = (line[3..], []);
            }
        }

        if (name is null || open is not null)
            throw new InvalidDataException($"{file} has no heading or an open block.");
        yield return new Transcript(name, blocks);
    }

    public override string ToString() => Name;
}

/// <summary>A fenced block, <paramref name="Kind"/> being what stands after the fence.</summary>
internal sealed record Block(string Kind, IReadOnlyList<string> Lines);
