using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text;

namespace Iris.Serve;

/// <summary>What the arguments ask for.</summary>
internal abstract record Command
{
    /// <summary>Serve sessions.</summary>
    public sealed record Serve(ServeSettings Settings) : Command;

    /// <summary>Check a directory's journals.</summary>
    public sealed record Verify(string Directory, string? Session, bool Cut) : Command;

    /// <summary>Write one session to standard output.</summary>
    public sealed record Export(string Directory, string Session) : Command;

    /// <summary>Read one session from a file.</summary>
    public sealed record Import(string Directory, string File, string? KeyFile) : Command;

    /// <summary>Print a text and be done.</summary>
    public sealed record Print(string Text) : Command;

    /// <summary>Say what is wrong with the arguments.</summary>
    public sealed record Refuse(string Why) : Command;
}

/// <summary>What <c>iris serve</c> was told; the defaults are those of <c>iris</c> alone.</summary>
internal sealed record ServeSettings
{
    /// <summary>The image's folder; null serves the echo program.</summary>
    public string? Image { get; init; }

    public string Host { get; init; } = "127.0.0.1";

    public int Port { get; init; } = 8787;

    /// <summary>Where sessions are kept; null keeps them in memory.</summary>
    public string? Data { get; init; } = "./iris-data";

    /// <summary>A file with the channel key; null lets the store keep one.</summary>
    public string? KeyFile { get; init; }

    /// <summary>A file with the bearer tokens that are accepted; null asks nobody who he is.</summary>
    public string? BearerFile { get; init; }

    /// <summary>The origins that browsers may call from beside the server's own.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>The names that requests may have in Host.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>The PEM file of the certificate to serve TLS with; null serves plain text.</summary>
    public string? TlsCertificate { get; init; }

    /// <summary>The PEM file of its key.</summary>
    public string? TlsKey { get; init; }

    /// <summary>The path of a Unix socket to listen on as well; null for none.</summary>
    public string? UnixSocket { get; init; }
}

/// <summary>Reads the arguments of <c>iris</c> by a table: an option is one line of it.</summary>
internal static class CommandLine
{
    /// <param name="Name">As it is typed.</param>
    /// <param name="Value">What its value is called; null where it takes none.</param>
    /// <param name="Demand">What a value must be, for the refusal of another.</param>
    /// <param name="Help">One line.</param>
    /// <param name="Take">The settings with the value in them; null where the value will not do.</param>
    /// <param name="Repeats">Whether it may be given more than once.</param>
    private sealed record Option(
        string Name, string? Value, string Demand, string Help, Func<ServeSettings, string, ServeSettings?> Take, bool Repeats = false);

    private static readonly Option[] Options =
    [
        new("--host", "ADDRESS", "an IP address or localhost", "the address to listen on (127.0.0.1)",
            (settings, value) => IsHost(value) ? settings with { Host = value } : null),
        new("--port", "PORT", "a number from 0 to 65535", "the port to listen on, 0 for a free one (8787)",
            (settings, value) => TryPort(value, out int port) ? settings with { Port = port } : null),
        new("--tls-certificate", "PEM", "a file", "serve TLS with this certificate; a changed file is taken up",
            (settings, value) => IsFile(value) ? settings with { TlsCertificate = value } : null),
        new("--tls-key", "PEM", "a file", "the certificate's private key",
            (settings, value) => IsFile(value) ? settings with { TlsKey = value } : null),
        new("--unix-socket", "PATH", "a path", "listen on a Unix socket as well",
            (settings, value) => IsFile(value) ? settings with { UnixSocket = value } : null),
        new("--data", "DIR", "a directory", "keep sessions in this directory (./iris-data)",
            (settings, value) => IsFile(value) ? settings with { Data = value } : null),
        new("--memory", null, "", "keep sessions in memory only: they end with the server",
            (settings, _) => settings with { Data = null }),
        new("--key-file", "FILE", "a file", "the channel key, 32 bytes or more; without it the store keeps one",
            (settings, value) => IsFile(value) ? settings with { KeyFile = value } : null),
        new("--bearer-file", "FILE", "a file", "who may come in, TOKEN PRINCIPAL a line; without it anyone who reaches the port",
            (settings, value) => IsFile(value) ? settings with { BearerFile = value } : null),
        new("--allow-origin", "ORIGIN", "an origin such as https://app.example", "let pages of this origin in as well; again for another",
            (settings, value) => IsOrigin(value) ? settings with { AllowedOrigins = [.. settings.AllowedOrigins, value] } : null, Repeats: true),
        new("--allow-host", "HOST", "a name", "serve requests that name this host; again for another",
            (settings, value) => value.Length > 0 ? settings with { AllowedHosts = [.. settings.AllowedHosts, value] } : null, Repeats: true),
    ];

    public static Command Parse(string[] args)
    {
        if (args.Contains("--help"))
            return new Command.Print(Help());
        if (args.Contains("--version"))
            return new Command.Print($"iris {Version}");
        if (args is [{ } command, ..] && !command.StartsWith('-'))
        {
            args = args[1..];
            return command switch
            {
                "serve" => Serve(args),
                "verify" => Verify(args),
                "export" => Export(args),
                "import" => Import(args),
                _ => new Command.Refuse($"unknown command '{command}'"),
            };
        }

        return Serve(args);
    }

    private static Command Verify(string[] args)
    {
        bool cuts = args.Contains("--cut");
        return args.Where(arg => arg != "--cut").ToArray() switch
        {
            [{ Length: > 0 } directory] when !directory.StartsWith('-') => new Command.Verify(directory, null, cuts),
            [{ Length: > 0 } directory, { Length: > 0 } session] when !directory.StartsWith('-') => new Command.Verify(directory, session, cuts),
            _ => new Command.Refuse("verify takes DIR [SESSION] [--cut]"),
        };
    }

    private static Command Export(string[] args) => args is [{ Length: > 0 } directory, { Length: > 0 } session]
        ? new Command.Export(directory, session)
        : new Command.Refuse("export takes DIR SESSION");

    private static Command Import(string[] args) => args switch
    {
        [{ Length: > 0 } directory, { Length: > 0 } file] => new Command.Import(directory, file, null),
        [{ Length: > 0 } directory, { Length: > 0 } file, "--key-file", { Length: > 0 } key] => new Command.Import(directory, file, key),
        _ => new Command.Refuse("import takes DIR FILE [--key-file FILE]"),
    };

    private static string Version =>
        typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    private static Command Serve(string[] args)
    {
        var settings = new ServeSettings();
        var given = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < args.Length; i++)
        {
            if (!args[i].StartsWith('-'))
            {
                if (settings.Image is not null)
                    return new Command.Refuse($"one image at a time: '{args[i]}' is one too many");
                if (args[i].Length == 0)
                    return new Command.Refuse("the image's folder is empty");
                settings = settings with { Image = args[i] };
                continue;
            }

            Option? option = Array.Find(Options, o => o.Name == args[i]);
            if (option is null)
                return new Command.Refuse($"unknown option '{args[i]}'");
            if (!given.Add(option.Name) && !option.Repeats)
                return new Command.Refuse($"{option.Name} is given twice");
            if (option.Value is not null && ++i == args.Length)
                return new Command.Refuse($"{option.Name} needs {option.Demand}");
            if (option.Take(settings, args[i]) is not { } taken)
                return new Command.Refuse($"{option.Name} needs {option.Demand}, not '{args[i]}'");
            settings = taken;
        }

        if (given.Contains("--data") && given.Contains("--memory"))
            return new Command.Refuse("--data and --memory exclude each other");
        return (settings.TlsCertificate is null) == (settings.TlsKey is null)
            ? new Command.Serve(settings)
            : new Command.Refuse("--tls-certificate and --tls-key need each other");
    }

    private static bool IsHost(string value) => value == "localhost" || IPAddress.TryParse(value, out _);

    private static bool IsFile(string value) => value.Length > 0;

    private static bool IsOrigin(string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out Uri? origin) && origin.GetLeftPart(UriPartial.Authority) == value && origin.UserInfo.Length == 0;

    private static bool TryPort(string value, out int port) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= IPEndPoint.MaxPort;

    private static string Help()
    {
        var text = new StringBuilder("""
            usage: iris serve [IMAGE] [OPTION]...     iris alone is iris serve
                   iris verify DIR [SESSION] [--cut]
                   iris export DIR SESSION > FILE
                   iris import DIR FILE [--key-file FILE]

            serve   durable sessions over HTTP, server-sent events and WebSocket. IMAGE is a folder with
                    an iris.json; without it the built-in echo program is served
            verify  reads all that a directory holds, and says where it is not as it was written;
                    --cut takes that and what follows away, and keeps a copy
            export  writes one session as a file; import reads it into another store, and prints its new token


            """);
        foreach (Option option in Options)
            text.Append(CultureInfo.InvariantCulture, $"  {option.Name + " " + option.Value,-24}{option.Help}\n");
        text.Append("  --help                  print this\n").Append("  --version               print the version");
        return text.ToString();
    }
}
