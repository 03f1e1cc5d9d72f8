using System.Runtime.CompilerServices;

namespace Iris.Net.Tests.Conformance.Raw;

/// <summary>A bound on what never comes. No test waits for a time: each waits for a condition, and this ends the wait.</summary>
internal static class Patience
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

    public static async Task<T> Within<T>(this Task<T> task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        await ((Task)task).Within(what);
        return await task;
    }

    public static async Task Within(this Task task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        using CancellationTokenSource done = new();
        if (await Task.WhenAny(task, Task.Delay(Bound, done.Token)) != task)
            throw new AssertionException($"Nothing came of {what} within {Bound.TotalSeconds} s.");
        await done.CancelAsync();
        await task;
    }

    /// <summary>Asks again until the answer is yes.</summary>
    public static Task Until(Func<bool> holds, [CallerArgumentExpression(nameof(holds))] string what = "") =>
        Until(() => Task.FromResult(holds()), what);

    /// <summary>Asks again until the answer is yes.</summary>
    public static async Task Until(Func<Task<bool>> holds, [CallerArgumentExpression(nameof(holds))] string what = "")
    {
        for (long start = Environment.TickCount64; !await holds(); await Task.Delay(5))
        {
            if (Environment.TickCount64 - start > Bound.TotalMilliseconds)
                throw new AssertionException($"Not within {Bound.TotalSeconds} s: {what}");
        }
    }
}
