using System.Net;
using System.Text;
using Iris.Net.Tests.Stores.Files;

namespace Iris.Net.Tests.Serve;

/// <summary>Stores that <c>iris serve</c> cannot have: one line that says why, and exit 1.</summary>
[Platform("Linux")]
internal sealed class StartRefusalTests
{
    [Test]
    public async Task A_directory_in_use()
    {
        using TempDirectory data = new();
        await using IrisServer server = await IrisServer.StartAsync("--data", data.Path);
        await RefusedAsync(data.Path, "in use by another process");
        Assert.That((await server.TurnAsync(new { message = "hello" })).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_file_in_the_place_of_the_directory()
    {
        using TempDirectory data = new();
        string file = Path.Combine(data.Path, "file");
        await File.WriteAllTextAsync(file, "");
        await RefusedAsync(file, file);
    }

    [Test]
    public async Task A_directory_where_none_can_be_made() => await RefusedAsync("/proc/iris-data", "/proc");

    [Test]
    public async Task A_read_only_disk_with_a_store_and_without()
    {
        using Mount mount = Mount.Tmpfs("1m");
        string data = Path.Combine(mount.Path, "data");
        await using (IrisServer server = await IrisServer.StartAsync("--data", data))
            await server.TurnAsync(new { message = "hello" });
        mount.Again("ro");
        await RefusedAsync(data, "ead-only");
        await RefusedAsync(Path.Combine(mount.Path, "new"), "ead-only");
        (int code, string output, _) = await IrisServer.RunAsync("verify", data);
        Assert.That((code, output), Is.EqualTo((0, "iris: 1 sessions, 6 records, all as they were written\n")), "who only reads may");
        mount.Again("rw");
        await using IrisServer again = await IrisServer.StartAsync("--data", data);
    }

    [Test]
    public async Task A_full_disk()
    {
        using Mount mount = Mount.Tmpfs("256k");
        await File.WriteAllBytesAsync(Path.Combine(mount.Path, "ballast"), new byte[252 << 10]);
        await RefusedAsync(Path.Combine(mount.Path, "data"), "o space left");
    }

    [Test]
    public async Task A_damaged_store_until_it_was_cut()
    {
        using TempDirectory data = new();
        TurnReply first;
        await using (IrisServer server = await IrisServer.StartAsync("--data", data.Path))
        {
            first = await server.TurnAsync(new { message = "one" });
            await server.TurnAsync(new { message = "two" }, first);
        }

        string segment = Directory.GetFiles(data.Path, "segment-*").Single();
        byte[] whole = await File.ReadAllBytesAsync(segment);
        byte[] damaged = [.. whole];
        int at = Encoding.UTF8.GetString(whole).LastIndexOf("two", StringComparison.Ordinal);
        damaged[at] ^= 1;
        await File.WriteAllBytesAsync(segment, damaged);
        string where = await RefusedAsync(data.Path, $"'{segment}' at offset ");
        long offset = long.Parse(where.Split("at offset ")[1].Split(':')[0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.That(offset, Is.LessThan(at));
        (int code, string output, string errors) = await IrisServer.RunAsync("verify", data.Path);
        Assert.That((code, output, errors), Is.EqualTo((1, "", where)), "verify says the same");
        (code, _, errors) = await IrisServer.RunAsync("verify", data.Path, "--cut");
        Assert.That((code, errors), Is.EqualTo((0, where[..^1] + " It was cut there; a copy is kept.\n")));
        Assert.That(await File.ReadAllBytesAsync($"{segment}.cut-{offset}"), Is.EqualTo(damaged[(int)offset..]));
        Assert.That(await File.ReadAllBytesAsync(segment), Is.EqualTo(whole[..(int)offset]));
        await using IrisServer again = await IrisServer.StartAsync("--data", data.Path);
        TurnReply second = await again.TurnAsync(new { message = "two again" }, first);
        Assert.That(second.Status, Is.EqualTo(HttpStatusCode.OK), "the token before the damage is current again");
    }

    [TestCase("verify")]
    [TestCase("export", "nobody")]
    public async Task A_directory_that_is_not_there_is_not_made_to_be_read(string command, params string[] more)
    {
        using TempDirectory data = new();
        string none = Path.Combine(data.Path, "none");
        (int code, string output, string errors) = await IrisServer.RunAsync([command, none, .. more]);
        Assert.That((code, output, errors), Is.EqualTo((1, "", $"iris: There is no directory '{none}'.\n")));
        Assert.That(Directory.Exists(none), Is.False);
    }

    private static async Task<string> RefusedAsync(string data, string why)
    {
        (int code, string output, string errors) = await IrisServer.RunAsync("serve", "--port", "0", "--data", data);
        Assert.That((code, output), Is.EqualTo((1, "")), errors);
        Assert.That(errors, Does.StartWith("iris: ").And.Contain(why).And.EndsWith("\n"));
        Assert.That(errors.Count(c => c == '\n'), Is.EqualTo(1), errors);
        return errors;
    }
}
