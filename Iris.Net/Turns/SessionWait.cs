namespace Iris.Net;

/// <summary>What a parked session waits for.</summary>
public enum WaitKind
{
    /// <summary>The client's next message.</summary>
    User,

    /// <summary>A named signal from outside.</summary>
    Signal,

    /// <summary>A time.</summary>
    Timer,
}

/// <summary>The one wait that a parked session's last commit left.</summary>
public sealed record SessionWait
{
    private SessionWait(WaitKind kind) => Kind = kind;

    /// <summary>Waits for the client's next message.</summary>
    public static SessionWait User { get; } = new(WaitKind.User);

    /// <summary>Which of the three it is.</summary>
    public WaitKind Kind { get; }

    /// <summary>The signal's name; null for other kinds.</summary>
    public string? Name { get; private init; }

    /// <summary>The timer's time, to the millisecond; null for other kinds.</summary>
    public DateTimeOffset? At { get; private init; }

    /// <summary>Waits for a signal.</summary>
    /// <param name="name">1 to 128 characters, none of them a control character; not <c>.</c> and not <c>..</c>, which no URL can
    /// name.</param>
    /// <exception cref="ArgumentException">The name is empty, too long, or none that a URL can name, or holds a lone surrogate.</exception>
    public static SessionWait Signal(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Length > 128)
            throw new ArgumentException("A signal's name has at most 128 characters.", nameof(name));
        if (name is "." or ".." || name.Any(char.IsControl))
            throw new ArgumentException("A signal's name holds no control character, and is neither '.' nor '..'.", nameof(name));
        if (!UnicodeText.IsWellFormed(name))
            throw new ArgumentException("A signal's name holds a lone surrogate.", nameof(name));
        return new(WaitKind.Signal) { Name = name };
    }

    /// <summary>Waits for a time, kept to the millisecond.</summary>
    public static SessionWait Timer(DateTimeOffset at) =>
        new(WaitKind.Timer) { At = DateTimeOffset.FromUnixTimeMilliseconds(at.ToUnixTimeMilliseconds()) };
}
