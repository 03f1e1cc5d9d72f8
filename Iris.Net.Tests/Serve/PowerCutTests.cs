using Iris.Net.Tests.Stores.Files;

namespace Iris.Net.Tests.Serve;

/// <summary>A power cut as a real file system leaves it: a server writes to one in a file, and what that file holds at a moment is
/// mounted once more. What was not synced is not in it.</summary>
[Platform("Linux")]
internal sealed class PowerCutTests
{
    private const int Stop = 19, Continue = 18;
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    [Test, Category("Long")]
    public async Task What_was_acknowledged_is_there_after_any_of_them()
    {
        // A disk of its own for each few cuts: one that is full is another test's.
        for (int disk = 1; disk <= (IsLong ? 20 : 1); disk++)
            await CutAsync(cuts: IsLong ? 10 : 6, new Random(disk));
    }

    private static async Task CutAsync(int cuts, Random random)
    {
        using TempDirectory images = new();
        string disk = images["disk"], copy = images["copy"];
        using (FileStream file = File.Create(disk))
            file.SetLength(64 << 20);
        if (!Mount.Run("mkfs.ext4", "-q", "-F", disk))
            Assert.Ignore("there is no mkfs.ext4 here");
        using Mount mount = Mount.Image(disk);
        await using LedgerServer server = new() { Data = Path.Combine(mount.Path, "data") };
        await using LedgerLoad load = new(server, clients: 8);
        await server.StartAsync();
        for (int cut = 1; cut <= cuts; cut++)
        {
            await load.AcknowledgedAsync(random.Next(5, 40));
            long[] acknowledged = load.Acknowledged();
            IrisServer.SignalTo(server.ProcessId, Stop);   // so that the copy is one moment
            File.Copy(disk, copy, overwrite: true);
            IrisServer.SignalTo(server.ProcessId, Continue);
            using Mount left = Mount.Image(copy);
            string data = Path.Combine(left.Path, "data");
            using (FileJournals journals = new(data))
                Assert.That(journals.Verify().Damage, Is.Null, $"cut {cut}");
            await load.CheckAsync(acknowledged, data);
        }

        TestContext.Out.WriteLine($"{cuts} power cuts, {load.Acknowledged().Sum()} turns acknowledged");
        await load.EveryoneAsync();
    }
}
