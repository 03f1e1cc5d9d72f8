using Microsoft.Win32.SafeHandles;

namespace Iris.Net.Transport;

/// <summary>Descriptors that no connection may take. The runtime needs two for each thread that it starts, and where it gets none
/// it ends the process; so peers are turned away before the last one is gone.</summary>
internal sealed class DescriptorReserve : IDisposable
{
    private const int Held = 8;         // given back where others took all the rest
    private const int Free = 32;        // and so many are left alone
    private const int LookEvery = 16;   // accepts; what the system hands out is always the lowest number

    private readonly SafeFileHandle?[] _held = new SafeFileHandle?[Held];
    private int _untilLook;
    private bool _isReleased = true;

    /// <summary>Whether one more connection leaves enough for everything else.</summary>
    public bool HasRoom()
    {
        if (OperatingSystem.IsWindows() || _untilLook-- > 0)
            return true;
        using SafeFileHandle? next = TryOpen();
        bool hasRoom = next is not null && next.DangerousGetHandle() < DescriptorLimit.Count - Free && TryHold();
        _untilLook = hasRoom ? LookEvery - 1 : 0;
        return hasRoom;
    }

    /// <summary>Gives what is held to whoever needs it, until there is room again.</summary>
    public void Release()
    {
        foreach (SafeFileHandle? handle in _held)
            handle?.Dispose();
        _isReleased = true;
        _untilLook = 0;
    }

    public void Dispose() => Release();

    private bool TryHold()
    {
        for (int i = 0; _isReleased && i < Held; i++)
        {
            _held[i] = TryOpen();
            if (_held[i] is null)
            {
                Release();
                return false;
            }
        }

        _isReleased = false;
        return true;
    }

    private static SafeFileHandle? TryOpen()
    {
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
