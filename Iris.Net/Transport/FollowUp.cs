namespace Iris.Net.Transport;

/// <summary>Work that received bytes set off. It runs on the thread that received them, once their connection waits for
/// something again: no other thread has to wake for it, and though it may block this one, its connection goes on elsewhere.</summary>
internal static class FollowUp
{
    [ThreadStatic]
    private static bool _isReceiving;

    [ThreadStatic]
    private static IThreadPoolWorkItem? _next;

    /// <summary>Runs the work soon: on this thread where it receives just now, else on one of the pool.</summary>
    public static void Queue(IThreadPoolWorkItem work)
    {
        if (_isReceiving && _next is null)
            _next = work;
        else
            ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: true);
    }

    /// <summary>Lets a receiver go on, and then does what it left behind.</summary>
    public static void Run<T>(T receiver, Action<T> goOn)
    {
        _isReceiving = true;
        try
        {
            goOn(receiver);
        }
        finally
        {
            _isReceiving = false;
        }

        IThreadPoolWorkItem? next = _next;
        _next = null;
        next?.Execute();
    }
}
