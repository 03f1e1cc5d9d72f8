using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>Where a program waits until the test lets it go on.</summary>
internal sealed class Gate : IDisposable
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The program's side: waits without a thread.</summary>
    public Task PassAsync()
    {
        _reached.TrySetResult();
        return _open.Task;
    }

    /// <summary>The program's side: blocks its thread, though not for ever, since nothing can take a thread back.</summary>
    public void Block()
    {
        _reached.TrySetResult();
        if (!((IAsyncResult)_open.Task).AsyncWaitHandle.WaitOne(TimeSpan.FromMinutes(1)))
            throw new TimeoutException("The gate stayed shut.");
    }

    /// <summary>The test's side: until the program is there.</summary>
    public Task ReachedAsync() => _reached.Task.Within("the program's arrival at the gate");

    public void Open() => _open.TrySetResult();

    /// <summary>A test that fails leaves no program behind the gate.</summary>
    public void Dispose() => Open();
}
