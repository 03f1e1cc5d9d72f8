using System.Text;
using System.Text.Json;
using Iris.Net.Sessions;

namespace Iris.Net.Endpoints;

/// <summary><c>{"$iris":"attach","sessionId":S,"continuationToken":T,"after":ID}</c></summary>
/// <param name="SessionId">The session, as it was sent.</param>
/// <param name="After">Behind which event; null for the start of the running, else the last, turn.</param>
internal readonly record struct AttachMessage(string SessionId, EventCursor? After)
{
    /// <summary>Reads the members beside the token; false where one is not what it should be.</summary>
    public static bool TryRead(JsonElement message, out AttachMessage attach)
    {
        attach = default;
        if (!message.TryGetProperty("sessionId"u8, out JsonElement id) || id.ValueKind != JsonValueKind.String)
            return false;
        EventCursor? after = null;
        // Null or empty is the id of a client that has none yet.
        if (message.TryGetProperty("after"u8, out JsonElement place) && place.ValueKind != JsonValueKind.Null)
        {
            if (place.ValueKind != JsonValueKind.String)
                return false;
            byte[] text = Encoding.UTF8.GetBytes(place.GetString()!);
            if (text.Length > 0)
            {
                if (!EventCursor.TryParse(text, out EventCursor cursor))
                    return false;
                after = cursor;
            }
        }

        attach = new(id.GetString()!, after);
        return true;
    }
}
