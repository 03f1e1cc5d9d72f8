namespace Iris.Net.Tests.Stores;

/// <summary>Runs two actions at the same moment, round by round: each thread spins until the other one is there as well, so
/// that both leave within nanoseconds. A barrier wakes one long after the other, and shows no race.</summary>
internal static class Rendezvous
{
    /// <summary>Runs the rounds; <paramref name="check"/> runs on the caller's thread between them, while the other waits.</summary>
    public static void Run(int rounds, Action<int> prepare, Action<int> one, Action<int> other, Action<int> check)
    {
        int here = 0, there = 0, done = 0;
        Exception? failed = null;
        Thread thread = new(() =>
        {
            for (int round = 1; round <= rounds; round++)
            {
                Await(ref here, round);
                Volatile.Write(ref there, round);
                try
                {
                    other(round);
                }
                catch (Exception e)
                {
                    failed = e;
                }

                Volatile.Write(ref done, round);
            }
        });
        thread.Start();
        try
        {
            for (int round = 1; round <= rounds; round++)
            {
                prepare(round);
                Volatile.Write(ref here, round);
                Await(ref there, round);
                one(round);
                Await(ref done, round);
                if (failed is not null)
                    throw new AssertionException("The other thread failed.", failed);
                check(round);
            }
        }
        finally
        {
            Volatile.Write(ref here, int.MaxValue);   // the other thread runs out where a check failed
            thread.Join();
        }
    }

    private static void Await(ref int value, int least)
    {
        SpinWait spin = default;
        while (Volatile.Read(ref value) < least)
            if (spin.Count < 2000)
                spin.SpinOnce(sleep1Threshold: -1);
            else
                Thread.Yield();
    }
}
