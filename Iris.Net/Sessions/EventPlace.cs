namespace Iris.Net.Sessions;

/// <summary>A place among the events of one attempt.</summary>
/// <param name="Seq">The seq of the last journal record at or before it.</param>
/// <param name="Delta">How many events followed that record.</param>
internal readonly record struct EventPlace(long Seq, long Delta)
{
    /// <summary>Before every event.</summary>
    public static EventPlace None => new(-1, 0);

    /// <summary>The place of the next event that is no record.</summary>
    public EventPlace Next => new(Seq, Delta + 1);

    public override string ToString() => $"{Seq}.{Delta}";   // the next one's next has a next

    public static bool operator <=(EventPlace left, EventPlace right) => !(left > right);

    public static bool operator >=(EventPlace left, EventPlace right) => !(left < right);

    public static bool operator <(EventPlace left, EventPlace right) => right > left;

    public static bool operator >(EventPlace left, EventPlace right) =>
        left.Seq > right.Seq || (left.Seq == right.Seq && left.Delta > right.Delta);
}
