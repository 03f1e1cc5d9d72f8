namespace Iris.Net.WebSockets;

/// <summary>
/// Inflates one compressed message after another (RFC 7692 section 7.2.2), bit by bit: bytes are taken into its room, and all
/// that they come to is fetched before more are taken.
/// </summary>
internal interface IMessageInflater : IDisposable
{
    /// <summary>Where the next compressed bytes go; never empty.</summary>
    Span<byte> Room { get; }

    /// <summary>Takes bytes that were written into <see cref="Room"/>.</summary>
    void Take(int count);

    /// <summary>No more bytes of this message will come.</summary>
    void TakeEnd();

    /// <summary>Inflates what was taken; nothing once all of it is. False where the data is invalid.</summary>
    /// <param name="into">Not empty.</param>
    /// <param name="count">How many bytes were written; 0 for all done.</param>
    bool TryInflate(Span<byte> into, out int count);

    /// <summary>Ends a message of which all was inflated; false where it is not whole.</summary>
    bool TryEnd();
}
