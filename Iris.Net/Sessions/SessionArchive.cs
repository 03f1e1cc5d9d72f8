using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Iris.Net.Journal;
using Iris.Net.Sessions;
using Iris.Net.Stores;

namespace Iris.Net;

/// <summary>Moves one session as a file, journal and all, between stores of any kind. The first line says what it is; each further
/// line is a hash and a record: its kind, its seq, its bytes; the last one a hash and <c>end</c>. Each hash is over the one before
/// and what follows it in its line.</summary>
public static class SessionArchive
{
    private const string Format = "iris-session/1";
    private const string Importer = "import";

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    /// <summary>Writes a session's records.</summary>
    /// <param name="id">The session.</param>
    /// <param name="records">Its records, oldest first, such as <see cref="FileJournals.ReadAsync"/> or
    /// <see cref="IStateStore.ReadAsync"/> gives them.</param>
    /// <param name="to">Takes the file.</param>
    /// <param name="cancel">Ends the writing.</param>
    /// <returns>How many records there were; with none, nothing was written.</returns>
    public static async ValueTask<long> ExportAsync(
        SessionId id, IAsyncEnumerable<JournalEntry> records, Stream to, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(records);
        ArgumentNullException.ThrowIfNull(to);
        ArrayBufferWriter<byte> line = new(4096);
        HashChain chain = HashChain.Of(id.Value);
        long count = 0;
        await foreach (JournalEntry record in records.WithCancellation(cancel).ConfigureAwait(false))
        {
            if (count++ == 0)
                WriteHeader(line, id);
            chain = WriteLine(line, chain, [
                .. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{(int)record.Kind} {record.Seq} ")),
                .. record.Utf8.Span]);
            await to.WriteAsync(line.WrittenMemory, cancel).ConfigureAwait(false);
            line.ResetWrittenCount();
        }

        if (count > 0)
        {
            WriteLine(line, chain, End);
            await to.WriteAsync(line.WrittenMemory, cancel).ConfigureAwait(false);
        }

        return count;
    }

    /// <summary>Makes the session in a store. It gets a token of its own there; a request that was open is closed.</summary>
    /// <param name="store">Where to.</param>
    /// <param name="from">The file.</param>
    /// <param name="keys">The keys of the channel that is to serve it, the newest first; null where the store keeps one.</param>
    /// <param name="time">The clock; the system's where none is given.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="InvalidDataException">It is no such file, or it was changed; the message names the line.</exception>
    /// <exception cref="IOException">The store has such a session already, or no room, or cannot be reached.</exception>
    public static async ValueTask<ImportedSession> ImportAsync(
        IStateStore store, Stream from, IReadOnlyList<ReadOnlyMemory<byte>>? keys = null, TimeProvider? time = null,
        CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(from);
        (SessionId id, List<JournalEntry> entries) = await ReadAsync(from, cancel).ConfigureAwait(false);
        SessionHead last = HeadRecord.Read(entries.FindLast(entry => HeadRecord.IsOne(entry.Kind)));
        Minting minting = new(null, null);
        ChannelKeys channelKeys = new(keys is { Count: > 0 } ? keys : [await store.KeyAsync(cancel).ConfigureAwait(false)]);
        Tokens tokens = store.Traits.Durable ? new Tokens.Derived(minting, channelKeys) : new Tokens.InClear(minting);
        byte[] salt = minting.Salt();
        MintedToken token = tokens.Mint(id, salt, last.ClientTurns);
        long seq = entries[^1].Seq + 1;
        // What was given out elsewhere opens nothing here.
        SessionHead head = last with
        {
            Salt = salt,
            Guard = token.Guard,
            Sealed = token.Sealed,
            Spent = default,
            RequestKey = default,
            RequestBody = default,
            TailSeq = 0,
            NextSeq = seq + 1,
        };
        using RecordWriter records = new(ProgramDigest.Of(Format, ""));
        JournalEntry? signal = await PendingAsync(entries, last).ConfigureAwait(false);
        entries.Add(records.Commit(seq, (time ?? TimeProvider.System).GetUtcNow().ToUnixTimeMilliseconds(), head));
        if (signal is { } pending)
            entries.Add(records.Signal(
                seq + 1, pending.ReadTime().ToUnixTimeMilliseconds(), AcceptedSignal.Read(pending).Name, AcceptedSignal.Read(pending).Payload.Span));
        CreateResult created = await store.CreateAsync(
            id, new SessionSeed(head, entries.ToArray()), new LeaseRequest(Importer, Lease), cancel).ConfigureAwait(false);
        if (created.Status != CreateStatus.Created)
            throw new IOException(created.Status == CreateStatus.Full
                ? "The store is full." : $"The store has a session '{id}' already.");
        await store.AppendAsync(created.Lease, ReadOnlyMemory<JournalEntry>.Empty, null, Flush.Durable, cancel).ConfigureAwait(false);
        await store.ReleaseAsync(created.Lease, cancel).ConfigureAwait(false);
        return new ImportedSession(id, Encoding.UTF8.GetString(token.Token.Span), entries.Count - 1);
    }

    // The signal that no turn has seen yet is still to be seen.
    private static async ValueTask<JournalEntry?> PendingAsync(List<JournalEntry> entries, SessionHead last)
    {
        IEnumerable<JournalEntry> tail = entries.Where(entry => entry.Seq >= last.TailFrom);
        return (await JournalTail.ReadAsync(tail.ToAsyncEnumerable()).ConfigureAwait(false)).Signal is null
            ? null : entries.FindLast(entry => entry.Kind == RecordKind.Signal);
    }

    private static ReadOnlySpan<byte> End => "end"u8;

    private static HashChain WriteLine(ArrayBufferWriter<byte> line, HashChain chain, ReadOnlySpan<byte> text)
    {
        chain = chain.After(text);
        line.Write(Encoding.ASCII.GetBytes($"{chain} "));
        line.Write(text);
        line.Write("\n"u8);
        return chain;
    }

    private static void WriteHeader(ArrayBufferWriter<byte> line, SessionId id)
    {
        line.Write(JsonText.Object(json =>
        {
            json.WriteString("format"u8, Format);
            json.WriteString("sessionId"u8, id.Value);
        }));
        line.Write("\n"u8);
    }

    private static async ValueTask<(SessionId Id, List<JournalEntry> Entries)> ReadAsync(Stream from, CancellationToken cancel)
    {
        using MemoryStream whole = new();
        await from.CopyToAsync(whole, cancel).ConfigureAwait(false);
        ReadOnlyMemory<byte> rest = whole.ToArray();
        SessionId id = ReadHeader(TakeLine(ref rest, 1).Span);
        HashChain chain = HashChain.Of(id.Value);
        List<JournalEntry> entries = [];
        for (int number = 2; ; number++)
        {
            ReadOnlyMemory<byte> text = Check(TakeLine(ref rest, number), number, ref chain);
            if (text.Span.SequenceEqual(End))
                return rest.IsEmpty ? (id, entries) : throw Wrong(number + 1, "it is behind the end");
            if (!TryReadRecord(text, out JournalEntry entry))
                throw Wrong(number, "it is no record");
            if (entries.Count == 0 && entry.Kind != RecordKind.Session)
                throw Wrong(number, "it is no session's first record");
            if (entries.Count > 0 && entry.Seq <= entries[^1].Seq)
                throw Wrong(number, "its seq does not rise");
            entries.Add(entry);
        }
    }

    private static ReadOnlyMemory<byte> TakeLine(ref ReadOnlyMemory<byte> rest, int number)
    {
        int end = rest.Span.IndexOf((byte)'\n');
        if (end < 0)
            throw Wrong(number, "it is cut short");
        ReadOnlyMemory<byte> line = rest[..end];
        rest = rest[(end + 1)..];
        return line;
    }

    private static SessionId ReadHeader(ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            JsonElement header = JsonElement.ParseValue(ref reader);
            if (header.ValueKind == JsonValueKind.Object
                && header.TryGetProperty("format"u8, out JsonElement format) && format.ValueEquals(Format)
                && header.TryGetProperty("sessionId"u8, out JsonElement id) && id.GetString() is { Length: > 0 and <= SessionId.MaxLength } value)
                return new SessionId(value);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Said below.
        }

        throw Wrong(1, $"it is not the head of an {Format} file");
    }

    // What stands behind the line's hash.
    private static ReadOnlyMemory<byte> Check(ReadOnlyMemory<byte> line, int number, ref HashChain chain)
    {
        const int hash = 2 * HashChain.Size;
        if (line.Length <= hash || line.Span[hash] != ' ')
            throw Wrong(number, "it is no record");
        ReadOnlyMemory<byte> text = line[(hash + 1)..];
        chain = chain.After(text.Span);
        return chain.ToString() == Encoding.ASCII.GetString(line.Span[..hash]) ? text
            : throw Wrong(number, "the chain of its records is broken");
    }

    private static bool TryReadRecord(ReadOnlyMemory<byte> text, out JournalEntry entry)
    {
        entry = default;
        ReadOnlySpan<byte> rest = text.Span;
        if (!TryTakeNumber(ref rest, out long kind) || kind > byte.MaxValue || !Enum.IsDefined((RecordKind)kind)
            || !TryTakeNumber(ref rest, out long seq) || seq == long.MaxValue)
            return false;
        entry = new JournalEntry(seq, (RecordKind)kind, text[^rest.Length..]);
        return true;
    }

    private static bool TryTakeNumber(ref ReadOnlySpan<byte> text, out long number)
    {
        if (!Utf8Parser.TryParse(text, out number, out int length) || number < 0 || length == text.Length || text[length] != ' ')
            return false;
        text = text[(length + 1)..];
        return true;
    }

    private static InvalidDataException Wrong(int line, string what) => new($"Line {line}: {what}.");
}

/// <summary>What an import made.</summary>
/// <param name="Id">The session.</param>
/// <param name="ContinuationToken">What continues it.</param>
/// <param name="Records">How many records came with it.</param>
public sealed record ImportedSession(SessionId Id, string ContinuationToken, long Records);
