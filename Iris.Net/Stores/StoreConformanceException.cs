namespace Iris.Net.Stores;

/// <summary>A store does not keep a promise.</summary>
public sealed class StoreConformanceException : Exception
{
    internal StoreConformanceException(string check, string what, string expected, string seen)
        : base($"{check}: {what}: expected {expected}, seen {seen}.") => (Check, What, Expected, Seen) = (check, what, expected, seen);

    /// <summary>The promise: the name of the check that failed.</summary>
    public string Check { get; }

    /// <summary>What was looked at, and when.</summary>
    public string What { get; }

    /// <summary>What the port promises.</summary>
    public string Expected { get; }

    /// <summary>What the store did.</summary>
    public string Seen { get; }
}
