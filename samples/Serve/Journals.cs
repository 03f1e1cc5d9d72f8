using System.Text.Json;
using Iris.Net;
using Iris.Net.Stores;

namespace Iris.Serve;

/// <summary>Works on a directory's journals while nobody serves them, or beside who does: check, export, import.</summary>
internal static class Journals
{
    public static int Verify(Command.Verify command) => Try(() =>
    {
        using FileJournals journals = new(command.Directory);
        if (command.Cut)
            Console.Error.WriteLine(journals.Cut() is { } cut ? $"iris: {cut.Message} It was cut there; a copy is kept." : "iris: nothing to cut");
        JournalCheck check = journals.Verify();
        if (check.Damage is not null)
            throw check.Damage;
        if (command.Session is { } session && !journals.Sessions().Contains(new SessionId(session)))
            throw new IOException($"there is no session '{session}' in {command.Directory}");
        Console.WriteLine($"iris: {check.Sessions} sessions, {check.Records} records, all as they were written");
        if (check.TornFile is { } torn)
            Console.WriteLine($"iris: {torn} ends inside a record at offset {check.TornOffset}, which a start will cut");
    });

    public static async Task<int> ExportAsync(Command.Export command)
    {
        long count = 0;
        int code = await TryAsync(async () =>
        {
            using FileJournals journals = new(command.Directory);
            SessionId id = new(command.Session);
            await using Stream output = Console.OpenStandardOutput();
            count = await SessionArchive.ExportAsync(id, journals.ReadAsync(id), output);
        });
        if (code != 0 || count > 0)
            return code;
        Console.Error.WriteLine($"iris: there is no session '{command.Session}' in {command.Directory}");
        return 1;
    }

    public static Task<int> ImportAsync(Command.Import command) => TryAsync(async () =>
    {
        if (ChannelKeyFile.TryRead(command.KeyFile) is not { } keys)
            throw new IOException("nothing was imported");
        await using FileStream file = File.OpenRead(command.File);
        await using FileStateStore store = new(command.Directory);
        ImportedSession session = await SessionArchive.ImportAsync(store, file, keys);
        Console.WriteLine(JsonSerializer.Serialize(
            new Dictionary<string, string> { ["sessionId"] = session.Id.Value, ["continuationToken"] = session.ContinuationToken },
            HandleJson.Default.DictionaryStringString));
    });

    private static int Try(Action run) => TryAsync(() =>
    {
        run();
        return Task.CompletedTask;
    }).GetAwaiter().GetResult();

    private static async Task<int> TryAsync(Func<Task> run)
    {
        try
        {
            await run();
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            Console.Error.WriteLine($"iris: {e.Message}");
            return 1;
        }
    }
}
