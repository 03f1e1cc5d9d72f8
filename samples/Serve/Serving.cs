using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Iris.Net;
using Iris.Net.Stores;
using Iris.Net.Transport;
using Iris.Serve.Images;

namespace Iris.Serve;

/// <summary>Runs a server until a signal ends it.</summary>
internal static class Serving
{
    /// <returns>The exit code: 0 after a drain, 1 where the server could not start.</returns>
    public static async Task<int> RunAsync(ServeSettings settings)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskScheduler.UnobservedTaskException += (_, unobserved) => Console.Error.WriteLine($"Error: {unobserved.Exception}");
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

        await using ImageProgram? image = OpenImage(settings);
        if (image is null && settings.Image is not null)
            return 1;
        IHostAdapter program = image ?? HostAdapter.Create(EchoProgram.RunAsync, EchoProgram.Name);
        TlsCertificate? certificate = LoadCertificate(settings);
        if (certificate is null && settings.TlsCertificate is not null)
            return 1;
        BearerFile? bearers = settings.BearerFile is { } file ? BearerFile.TryRead(file) : null;
        if (bearers is null && settings.BearerFile is not null)
            return 1;
        if (ChannelKeyFile.TryRead(settings.KeyFile) is not { } keys || OpenStore(settings) is not { } opened)
            return 1;
        await using IStateStore store = opened;
        await using var channel = new RestChannel(program, new RestChannelOptions
        {
            Store = store,
            Keys = keys,
            Host = settings.Host,
            Port = settings.Port,
            UnixSocketPath = settings.UnixSocket,
            Certificate = certificate,
            Authorize = bearers is null ? null : bearers.AuthorizeAsync,
            AllowedOrigins = settings.AllowedOrigins,
            AllowedHosts = settings.AllowedHosts,
            Log = Log,
        });
        if (await ListenAsync(channel, settings) is not { } url)
            return 1;
        Console.WriteLine(
            $"iris: listening on {url.GetLeftPart(UriPartial.Authority)} (image={program.Capabilities.Name}, store={store.Traits.Name}, web=off)");
        await stopped.Task;
        await channel.StopAsync();
        return 0;

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            if (!stopped.TrySetResult())
                Environment.Exit(signal.Signal == PosixSignal.SIGINT ? 128 + 2 : 128 + 15);
        }
    }

    // Of what an image's program did, the message tells all; of what else was thrown, the place matters too.
    private static void Log(ChannelLog log)
    {
        if (log.Level == ChannelLogLevel.Information)
            return;   // its own line says it
        string? cause = log.Exception is ImageException or HostOverloadedException ? log.Exception.Message : log.Exception?.ToString();
        Console.Error.WriteLine($"{log.Level}: {log.Text}{(cause is null ? "" : ": ")}{cause}");
    }

    private static ImageProgram? OpenImage(ServeSettings settings)
    {
        if (settings.Image is null)
            return null;
        try
        {
            return ImageProgram.Open(settings.Image, Console.Error.WriteLine);
        }
        catch (ImageException e)
        {
            Console.Error.WriteLine($"iris: {e.Message}");
            return null;
        }
    }

    private static IStateStore? OpenStore(ServeSettings settings)
    {
        try
        {
            return settings.Data is null ? new MemoryStateStore() : new FileStateStore(settings.Data, new FileStoreOptions { Log = line => Console.Error.WriteLine($"iris: {line}") });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"iris: {e.Message}");
            return null;
        }
    }

    private static TlsCertificate? LoadCertificate(ServeSettings settings)
    {
        if (settings.TlsCertificate is null)
            return null;
        try
        {
            return TlsCertificate.FromPem(settings.TlsCertificate, settings.TlsKey);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            Console.Error.WriteLine($"iris: cannot use the certificate {settings.TlsCertificate}: {e.Message}");
            return null;
        }
    }

    private static async Task<Uri?> ListenAsync(RestChannel channel, ServeSettings settings)
    {
        try
        {
            return await channel.ListenAsync();
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            Console.Error.WriteLine($"iris: {e.Message}");
            return null;
        }
    }
}
