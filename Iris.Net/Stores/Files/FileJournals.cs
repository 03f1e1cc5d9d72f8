using System.Runtime.CompilerServices;
using Iris.Net.Journal;
using Iris.Net.Stores;
using Iris.Net.Stores.Files;

namespace Iris.Net;

/// <summary>Reads the journals of a <see cref="FileStateStore"/>'s directory and changes nothing there; another process may be
/// writing it meanwhile.</summary>
public sealed class FileJournals : IDisposable
{
    private const int Attempts = 10;
    private const int CopySize = 64 << 10;

    private readonly IStoreDirectory _directory;

    /// <summary>Looks at a directory.</summary>
    /// <exception cref="DirectoryNotFoundException">It is not there.</exception>
    public FileJournals(string directory) : this(new DurableDirectory(directory, create: false))
    {
    }

    internal FileJournals(IStoreDirectory directory) => _directory = directory;

    /// <summary>Reads every frame and every record, and holds them against their checksums, their order and their chain.</summary>
    /// <exception cref="IOException">The files cannot be read.</exception>
    public JournalCheck Verify(CancellationToken cancel = default) => Scan(() => new JournalVerifier(cancel)).Result();

    /// <summary>The sessions that are there, ordered by id.</summary>
    /// <exception cref="DamagedStoreException">The log does not hold what was written.</exception>
    public IReadOnlyList<SessionId> Sessions(CancellationToken cancel = default)
    {
        JournalVerifier verifier = Sound(() => new JournalVerifier(cancel));
        return [.. verifier.Ids.Order(StringComparer.Ordinal).Select(id => new SessionId(id))];
    }

    /// <summary>The records of one session, oldest first; none where there is no such session. In the place of a commit that was
    /// superseded and compacted stands nothing.</summary>
    /// <exception cref="DamagedStoreException">The log does not hold what was written.</exception>
    public async IAsyncEnumerable<JournalEntry> ReadAsync(SessionId id, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (JournalEntry entry in Sound(() => new JournalVerifier(cancel, id.Value)).Kept)
        {
            cancel.ThrowIfCancellationRequested();
            yield return entry;
        }
    }

    /// <summary>Takes away the first place that is not as it was written and all that follows it, of every session; a copy of it stays
    /// beside as <c>FILE.cut-OFFSET</c>. No other process may have the store open.</summary>
    /// <returns>What was damaged; null where nothing was, and nothing was done.</returns>
    /// <exception cref="IOException">The directory is in use, or cannot be written.</exception>
    public DamagedStoreException? Cut()
    {
        using IDisposable mine = _directory.Lock(FileStateStore.LockName);
        DamagedStoreException? first = null;
        // A file before the one that is cut may tell that it is missing now.
        while (Verify().Damage is { } damage)
        {
            first ??= damage;
            Cut(damage);
        }

        return first;
    }

    /// <summary>Lets go of the directory.</summary>
    public void Dispose() => _directory.Dispose();

    private void Cut(DamagedStoreException damage)
    {
        string name = Path.GetFileName(damage.File);
        long number = Segment.NumberOf(name)!.Value;
        foreach (string later in _directory.Names().Where(other => Segment.NumberOf(other) > number))
            _directory.Rename(later, $"{later}.cut-0");
        if (damage.Offset < SegmentHeader.Size)
            _directory.Rename(name, $"{name}.cut-0");
        else
            CutFile(name, damage.Offset);
        _directory.Sync();
    }

    private void CutFile(string name, long offset)
    {
        using IStoreFile file = _directory.Open(name, writable: true);
        using (IStoreFile copy = _directory.Create($"{name}.cut-{offset}"))
        {
            byte[] block = new byte[CopySize];
            for (long at = offset; file.Read(block, at) is > 0 and int read; at += read)
                copy.Write(block.AsSpan(0, read), at - offset);
            copy.Sync();
        }

        file.Truncate(offset);
        file.Sync();
    }

    private string? LastSegment() => _directory.Names().Where(name => Segment.NumberOf(name) is not null).Max(StringComparer.Ordinal);

    private JournalVerifier Sound(Func<JournalVerifier> make)
    {
        JournalVerifier read = Scan(make);
        return read.Result().Damage is { } damage ? throw damage : read;
    }

    // Another process may take a segment away, or begin one, between the look at the directory and the reading: then all over again.
    private JournalVerifier Scan(Func<JournalVerifier> make)
    {
        for (int attempt = 1; ; attempt++)
        {
            JournalVerifier verifier = make();
            string? last = LastSegment();
            try
            {
                verifier.Read(_directory);
                if (verifier.Result().Damage is null || LastSegment() == last || attempt == Attempts)
                    return verifier;
            }
            catch (FileNotFoundException) when (attempt < Attempts)
            {
            }
        }
    }
}

/// <summary>What <see cref="FileJournals.Verify"/> found.</summary>
/// <param name="Sessions">How many sessions there are.</param>
/// <param name="Records">How many records of theirs were held against the chain.</param>
/// <param name="Damage">The first place that is not as it was written; null where all is well.</param>
/// <param name="TornFile">The file that ends inside a record: a crash, or a write that goes on at this moment; null where none does.</param>
/// <param name="TornOffset">Where that record begins, in bytes.</param>
public sealed record JournalCheck(int Sessions, long Records, DamagedStoreException? Damage, string? TornFile, long TornOffset);
