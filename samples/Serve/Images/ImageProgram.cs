using Iris.Net;

namespace Iris.Serve.Images;

/// <summary>Runs turns on an image: a program of any language, spoken to over its standard input and output.</summary>
internal sealed class ImageProgram : IHostAdapter, IAsyncDisposable
{
    private readonly ImageManifest _image;
    private readonly ImagePool _pool;

    private ImageProgram(ImageManifest image, ImagePool pool) => (_image, _pool) = (image, pool);

    /// <inheritdoc/>
    public HostCapabilities Capabilities =>
        new() { WebSockets = _image.WebSockets, Name = _image.Name, Version = _image.Version };

    /// <summary>Reads the image, and starts its workers.</summary>
    /// <exception cref="ImageException">It cannot be served.</exception>
    public static ImageProgram Open(string folder, Action<string> log)
    {
        if (!Setsid.IsSupported)
            throw new ImageException("images are served on Linux, where setsid (util-linux) and /proc are");
        ImageManifest image = ImageManifest.Read(folder);
        image.FindProgram();
        return new ImageProgram(image, new ImagePool(image, line => log($"image {image.Name}: {line}")));
    }

    /// <inheritdoc/>
    public async ValueTask<TurnOutcome> RunTurnAsync(TurnContext turn, CancellationToken cancel = default)
    {
        ImageProcess process = await _pool.RentAsync(turn, cancel);
        var attempt = new ImageTurn(process, turn);
        try
        {
            return await attempt.RunAsync(_image.TurnTimeout, cancel);
        }
        finally
        {
            await _pool.ReturnAsync(process, attempt.IsEnded);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _pool.DisposeAsync();
}
