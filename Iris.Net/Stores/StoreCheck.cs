using Iris.Net.Stores.Conformance;

namespace Iris.Net.Stores;

/// <summary>Opens the store at a place, with a clock. A place is a name of 33 letters and digits, made anew for each check: the
/// first time that it is named the store there is empty, and every time after it holds what it held before. A
/// place may be opened again once its store was disposed of, one of a shared store at once. Where it lies, and what
/// becomes of it in the end, is the caller's affair.</summary>
/// <param name="place">The name of the place: a directory, a schema, a prefix.</param>
/// <param name="time">The clock that decides leases and idleness; the check moves it. Its timers run by the machine's.</param>
/// <param name="cancel">Gives up opening.</param>
public delegate ValueTask<IStateStore> StoreOpener(string place, TimeProvider time, CancellationToken cancel = default);

/// <summary>One promise of a store, and how it is checked.</summary>
public sealed class StoreCheck
{
    /// <summary>How often a race is run by default: enough to see one that is lost once in some hundred times.</summary>
    public const int DefaultRounds = 1_000;

    private readonly Func<StoreTrial, Task> _run;
    private readonly Func<StoreTraits, bool> _applies;

    internal StoreCheck(string name, Func<StoreTrial, Task> run, Func<StoreTraits, bool> applies) =>
        (Name, _run, _applies) = (name, run, applies);

    /// <summary>The promise, as one name.</summary>
    public string Name { get; }

    /// <summary>Runs the check on a store of its own; false where the store's traits do not promise this.</summary>
    /// <param name="open">Opens the store, empty at first.</param>
    /// <param name="rounds">How often a race is run; at least 1. One round costs a durable store a few syncs.</param>
    /// <param name="cancel">Gives up between two rounds.</param>
    /// <exception cref="StoreConformanceException">The store does not keep the promise.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one round.</exception>
    public async Task<bool> RunAsync(StoreOpener open, int rounds = DefaultRounds, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(open);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        StoreTrial trial = await StoreTrial.OpenAsync(Name, open, rounds, cancel).ConfigureAwait(false);
        await using (trial.ConfigureAwait(false))
        {
            if (!_applies(trial.Store.Traits))
                return false;
            await _run(trial).ConfigureAwait(false);
            return true;
        }
    }

    /// <summary>The check's name.</summary>
    public override string ToString() => Name;
}
