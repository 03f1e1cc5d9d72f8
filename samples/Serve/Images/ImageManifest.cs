using System.Runtime.Versioning;
using System.Text.Json;

namespace Iris.Serve.Images;

/// <summary>An image's <c>iris.json</c>.</summary>
internal sealed record ImageManifest
{
    public const string FileName = "iris.json";

    /// <summary>The folder that the command runs in.</summary>
    public required string Folder { get; init; }

    public string Name { get; private init; } = "";

    public string Version { get; private init; } = "1";

    /// <summary>The program and its arguments.</summary>
    public IReadOnlyList<string> Command { get; private init; } = [];

    /// <summary>How many processes are kept; 0 starts one for each turn.</summary>
    public int Workers { get; private init; }

    /// <summary>False: the upgrade answers 426.</summary>
    public bool WebSockets { get; private init; } = true;

    /// <summary>How long a turn may take; null leaves it to the server's own limit.</summary>
    public TimeSpan? TurnTimeout { get; private init; }

    /// <exception cref="ImageException">There is no image in the folder, or its manifest is not one.</exception>
    public static ImageManifest Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            using JsonDocument json = JsonDocument.Parse(
                File.ReadAllBytes(path), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Read(json.RootElement, Path.GetFullPath(folder));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException($"cannot read the image: {e.Message}");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ImageException)
        {
            throw new ImageException($"{path}: {e.Message}");
        }
    }

    /// <exception cref="ImageException">The command's program is not there, or may not be run.</exception>
    [SupportedOSPlatform("linux")]
    public void FindProgram()
    {
        const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        string program = Command[0];
        string[] folders = program.Contains('/')
            ? [Folder]
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        if (!folders.Select(folder => Path.Combine(Folder, folder, program))
            .Any(path => File.Exists(path) && (File.GetUnixFileMode(path) & Executable) != 0))
            throw new ImageException($"image {Name}: there is no program '{program}' to run");
    }

    private static ImageManifest Read(JsonElement json, string folder)
    {
        var image = new ImageManifest { Folder = folder };
        foreach (JsonProperty field in FieldsOf(json, "an image"))
        {
            image = field.Name switch
            {
                "name" => image with { Name = Text(field) },
                "version" => image with { Version = Text(field) },
                "command" => image with { Command = Texts(field) },
                "workers" => image with { Workers = Whole(field, 0, ImagePool.MaxProcesses) },
                "capabilities" => image with { WebSockets = ReadWebSockets(field) },
                "turnTimeoutSeconds" => image with { TurnTimeout = TimeSpan.FromSeconds(Whole(field, 1, 86_400)) },
                _ => throw new ImageException($"unknown field '{field.Name}'"),
            };
        }

        if (image.Name.Length == 0)
            throw new ImageException("'name' is missing");
        if (image.Command.Count == 0)
            throw new ImageException("'command' is missing");
        return image;
    }

    private static bool ReadWebSockets(JsonProperty capabilities)
    {
        bool webSockets = true;
        foreach (JsonProperty field in FieldsOf(capabilities.Value, "'capabilities'"))
        {
            webSockets = (field.Name, field.Value.ValueKind) switch
            {
                ("websockets", JsonValueKind.True) => true,
                ("websockets", JsonValueKind.False) => false,
                ("websockets", _) => throw new ImageException("'capabilities.websockets' must be true or false"),
                _ => throw new ImageException($"unknown field 'capabilities.{field.Name}'"),
            };
        }

        return webSockets;
    }

    private static JsonElement.ObjectEnumerator FieldsOf(JsonElement value, string what) =>
        value.ValueKind == JsonValueKind.Object
            ? value.EnumerateObject()
            : throw new ImageException($"{what} must be a JSON object");

    private static string Text(JsonProperty field) =>
        field.Value.ValueKind == JsonValueKind.String && field.Value.GetString() is { Length: > 0 } text && !text.Any(char.IsControl)
            ? text
            : throw new ImageException($"'{field.Name}' must be a string that is not empty and holds no control characters");

    private static int Whole(JsonProperty field, int least, int most) =>
        field.Value.ValueKind == JsonValueKind.Number && field.Value.TryGetInt32(out int number) && number >= least && number <= most
            ? number
            : throw new ImageException($"'{field.Name}' must be a whole number from {least} to {most}");

    private static IReadOnlyList<string> Texts(JsonProperty field)
    {
        if (field.Value.ValueKind != JsonValueKind.Array || field.Value.GetArrayLength() == 0
            || field.Value.EnumerateArray().Any(part => part.ValueKind != JsonValueKind.String || part.GetString()!.Contains('\0'))
            || field.Value[0].GetString()!.Length == 0)
            throw new ImageException($"'{field.Name}' must be a list of strings that begins with a program");
        return [.. field.Value.EnumerateArray().Select(part => part.GetString()!)];
    }
}
