using System.Diagnostics;

namespace Iris.Net.Tests.Serve;

/// <summary>A file system of a test's own, gone when it ends; the test is ignored where none may be mounted.</summary>
internal sealed class Mount : IDisposable
{
    private Mount() => Path = Directory.CreateTempSubdirectory("iris-mount-").FullName;

    public string Path { get; }

    /// <summary>One in memory.</summary>
    public static Mount Tmpfs(string size) => Make("-t", "tmpfs", "-o", $"size={size}", "none");

    /// <summary>One in a file.</summary>
    public static Mount Image(string file, params string[] options) => Make(["-o", "loop", .. options, file]);

    /// <summary>Mounts it anew, with other options.</summary>
    public void Again(string options) => Assert.That(Run("mount", "-o", $"remount,{options}", Path), Is.True);

    public static bool Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program) { RedirectStandardError = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    public void Dispose()
    {
        Run("umount", "-l", Path);
        Directory.Delete(Path);
    }

    private static Mount Make(params string[] arguments)
    {
        Mount mount = new();
        if (OperatingSystem.IsLinux() && Run("mount", [.. arguments, mount.Path]))
            return mount;
        mount.Dispose();
        Assert.Ignore("nothing may be mounted here");
        return mount;
    }
}
