using System.Collections.Concurrent;
using Iris.Net;

namespace Iris.Serve.Images;

/// <summary>The processes of one image: a bounded number, kept between turns or started for each.</summary>
internal sealed class ImagePool : IAsyncDisposable
{
    /// <summary>The most processes of one image at a time: 8 a core.</summary>
    public static readonly int MaxProcesses = 8 * Environment.ProcessorCount;

    /// <summary>How long a turn waits for a process before it is told that there is no room.</summary>
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(10);

    private readonly ImageManifest _image;
    private readonly Action<string> _log;
    private readonly ProcessKeeper _keeper = new();
    private readonly SemaphoreSlim _room;
    private readonly ConcurrentStack<ImageProcess> _idle = new();
    private readonly ConcurrentDictionary<ImageProcess, Task> _ending = new();

    /// <summary>Starts the image's workers, if it has any.</summary>
    public ImagePool(ImageManifest image, Action<string> log)
    {
        _image = image;
        _log = log;
        _room = new SemaphoreSlim(image.Workers > 0 ? image.Workers : MaxProcesses);
        for (int i = 0; i < image.Workers; i++)
            _idle.Push(Start(null));
    }

    /// <summary>A process for a turn, for its caller alone until it is returned.</summary>
    /// <exception cref="HostOverloadedException">All are busy, and stayed so for 10 s.</exception>
    public async Task<ImageProcess> RentAsync(TurnContext turn, CancellationToken cancel)
    {
        if (!await _room.WaitAsync(Wait, cancel))
            throw new HostOverloadedException($"all processes of image {_image.Name} are busy");
        while (_idle.TryPop(out ImageProcess? worker))
        {
            if (worker.IsIdle)
                return worker;
            _ = EndAsync(worker, TimeSpan.Zero);
        }

        try
        {
            return Start(_image.Workers > 0 ? null : turn);
        }
        catch
        {
            _room.Release();
            throw;
        }
    }

    /// <summary>Takes a process back. One that did not end its turn by the protocol is killed, and gone when this returns.</summary>
    public async Task ReturnAsync(ImageProcess process, bool endedTurn)
    {
        if (endedTurn && _image.Workers > 0)
        {
            _idle.Push(process);
            _room.Release();
        }
        else
        {
            Task end = EndAsync(process, endedTurn ? ImageProcess.Grace : TimeSpan.Zero);
            _ = end.ContinueWith(_ => _room.Release(), TaskScheduler.Default);
            if (!endedTurn)
                await end;
        }
    }

    /// <summary>Ends every process: idle workers get a second to end by themselves.</summary>
    public async ValueTask DisposeAsync()
    {
        while (_idle.TryPop(out ImageProcess? worker))
        {
            worker.Terminate();
            _ = EndAsync(worker, TimeSpan.FromSeconds(1));
        }

        await Task.WhenAll(_ending.Values);
        _keeper.Dispose();
    }

    private ImageProcess Start(TurnContext? turn) => ImageProcess.Start(_image, turn, _keeper, _log);

    private async Task EndAsync(ImageProcess process, TimeSpan grace)
    {
        Task end = process.EndAsync(grace);
        _ending[process] = end;
        await end;
        _ending.TryRemove(process, out _);
    }
}
