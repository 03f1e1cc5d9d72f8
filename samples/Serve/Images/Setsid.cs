using System.Diagnostics;
using System.Runtime.Versioning;

namespace Iris.Serve.Images;

/// <summary>Starts a shell script that leads its own session (setsid(2)), which the class library has no call for.</summary>
internal static class Setsid
{
    private static readonly string? Program = Array.Find(["/usr/bin/setsid", "/bin/setsid"], File.Exists);

    /// <summary>Images are served on Linux: their processes are found in /proc.</summary>
    [SupportedOSPlatformGuard("linux")]
    public static bool IsSupported => OperatingSystem.IsLinux() && Program is not null;

    /// <summary>The process that is started is the session's leader itself: setsid(1) does not fork where it leads no group.</summary>
    public static ProcessStartInfo Start(string script, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Program!) { UseShellExecute = false };
        foreach (string argument in (IEnumerable<string>)["/bin/sh", "-c", script, "iris-image", .. arguments])
            start.ArgumentList.Add(argument);
        return start;
    }
}
