namespace Iris.Net.Tests.Conformance.RawTable;

/// <summary>The bytes of one connection, each character one byte, and all that the server answers to them.</summary>
/// <param name="Name">What is tried.</param>
/// <param name="Request">What the client sends.</param>
/// <param name="Answer">What it gets, with <c>Date: *</c>.</param>
internal sealed record RawCase(string Name, string Request, string Answer)
{
    private const string Next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string Evil = "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n";

    /// <summary>Whether the client ends its side behind the last byte; otherwise it waits for the whole answer first.</summary>
    public bool EndsEarly { get; private init; }

    /// <summary>Whether the server may ask for the body first: it does where the body was not there yet.</summary>
    public bool MayAskForBody { get; private init; }

    /// <summary>How many requests the answer says were run.</summary>
    public int Runs => Answer.Split(RawAnswer.Mark).Length - 1;

    /// <summary>The request is served, and the one behind it is found where it begins.</summary>
    public static RawCase Serves(string name, string request, params string[] answers) =>
        new(name, request + Next, string.Concat(answers) + RawAnswer.Ran("GET /next"));

    /// <summary>As the other, for a request that waits to be asked for its body.</summary>
    public static RawCase ServesAsked(string name, string request, params string[] answers) =>
        Serves(name, request, answers) with { MayAskForBody = true };

    /// <summary>What is answered is the last answer: the request behind it never runs.</summary>
    public static RawCase Closes(string name, string request, params string[] answers) =>
        new(name, request + Evil, string.Concat(answers));

    /// <summary>The request is refused, and the one behind it never runs.</summary>
    public static RawCase Refuses(string name, string request, int status, string text) =>
        Closes(name, request, RawAnswer.Refused(status, text));

    /// <summary>The client ends its side in the middle of a request.</summary>
    public static RawCase Ends(string name, string request, string answer) => new(name, request, answer) { EndsEarly = true };

    public override string ToString() => Name;
}
