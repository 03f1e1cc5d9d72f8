using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace Iris.Net.Transport;

/// <summary>One descriptor kept back for when there are no more: with it, peers that wait to be accepted are told by a close.
/// Otherwise they would wait for as long as it lasts.</summary>
internal sealed class SpareDescriptor : IDisposable
{
    private const int MostAtOnce = 64;

    private SafeFileHandle? _handle = TryOpen();

    /// <summary>Takes the descriptor back, where others had taken it.</summary>
    public void Restore() => _handle ??= TryOpen();

    /// <summary>Accepts and closes.</summary>
    /// <param name="listener">Must not block.</param>
    public void Shed(Socket listener)
    {
        _handle?.Dispose();
        try
        {
            for (int i = 0; i < MostAtOnce; i++)
                listener.Accept().Dispose();
        }
        catch (SocketException)
        {
            // Nobody waits any more, or another thread was faster to take the descriptor.
        }

        _handle = TryOpen();
    }

    public void Dispose() => _handle?.Dispose();

    private static SafeFileHandle? TryOpen()
    {
        if (OperatingSystem.IsWindows())
            return null;    // it has no such limit
        try
        {
            return File.OpenHandle("/dev/null", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
