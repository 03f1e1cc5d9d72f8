using System.Text.Json;
using System.Text.Json.Serialization;
using Iris.Net;

namespace Iris.Serve;

/// <summary>The program that <c>iris</c> serves without an image: it says back what it was told, word by word.</summary>
internal static partial class EchoProgram
{
    public const string Name = "echo";

    private const string Prefix = "echo: ";
    private const string Farewell = "bye";

    public static async ValueTask<TurnOutcome> RunAsync(TurnContext turn, CancellationToken cancel)
    {
        string message = MessageOf(turn.Body);
        string answer = await turn.StepAsync("answer", SayAsync, EchoJson.Default.String, cancel: cancel);
        return message == Farewell
            ? TurnOutcome.Finished(JsonPayload.From(answer, EchoJson.Default.String))
            : TurnOutcome.ParkedOnUser();

        async ValueTask<string> SayAsync(StepContext step, CancellationToken stop)
        {
            await turn.DeltaAsync(Prefix, stop);
            foreach (string word in Words(message))
                await turn.DeltaAsync(word, stop);
            return Prefix + message;
        }
    }

    /// <summary>The last <c>content</c> of <c>messages</c>, else <c>message</c>, else a body that is a string, else nothing.</summary>
    internal static string MessageOf(JsonElement body)
    {
        if (body.ValueKind == JsonValueKind.String)
            return body.GetString()!;
        if (body.ValueKind != JsonValueKind.Object)
            return "";
        if (body.TryGetProperty("messages", out JsonElement messages) && messages.ValueKind == JsonValueKind.Array
            && messages.GetArrayLength() is > 0 and int count
            && messages[count - 1] is { ValueKind: JsonValueKind.Object } last && TryText(last, "content", out string? text))
            return text;
        return TryText(body, "message", out text) ? text : "";
    }

    private static bool TryText(JsonElement of, string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? text)
    {
        text = of.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        return text is not null;
    }

    // A word and the white space after it, so that the words joined are the text.
    private static IEnumerable<string> Words(string text)
    {
        int start = 0;
        for (int i = 1; i < text.Length; i++)
        {
            if (char.IsWhiteSpace(text[i]) || !char.IsWhiteSpace(text[i - 1]))
                continue;
            yield return text[start..i];
            start = i;
        }

        if (start < text.Length)
            yield return text[start..];
    }

    [JsonSerializable(typeof(string))]
    private sealed partial class EchoJson : JsonSerializerContext;
}
