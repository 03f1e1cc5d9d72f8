namespace Iris.Net.Server;

/// <summary>A connection of the server, whether a request came over it yet or not.</summary>
internal interface IPeer
{
    /// <summary>What the connection waits for from its peer.</summary>
    Wait WaitsFor { get; }

    /// <summary>Closes the connection where nothing is under way.</summary>
    void CloseWhereIdle();

    /// <summary>Ends the connection at the end of a stopping server's grace.</summary>
    void GoAway();

    /// <summary>Ends the connection with a reset.</summary>
    void Abort();
}
