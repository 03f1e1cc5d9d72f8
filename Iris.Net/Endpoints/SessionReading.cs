using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Iris.Net.Http;
using Iris.Net.Journal;
using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Stores;

namespace Iris.Net.Endpoints;

/// <summary>Reads a session back: where it stands, and its public records.</summary>
internal sealed class SessionReading(ChannelWire wire, TurnReplies replies)
{
    private const int DefaultRecords = 100;
    private const int MostRecords = 1000;

    /// <summary><c>GET /v1/session/{sessionId}</c></summary>
    public async ValueTask GetAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if (await replies.SessionOfAsync(exchange, disconnected).ConfigureAwait(false) is not { } id
            || await JudgeAsync(exchange, id, disconnected).ConfigureAwait(false) is not { Head: { } head } presented)
            return;
        Admission refused = Refusal.UnknownSession;
        EventCursor? last = null;
        try
        {
            last = await new SessionFeed(wire.Sessions, id, follows: false).LastAsync(disconnected).ConfigureAwait(false);
        }
        catch (Exception e) when (!disconnected.IsCancellationRequested)
        {
            refused = wire.Sessions.StoreFailed(e);
        }

        if (last is not { } lastEvent)
        {
            await replies.RefusedAsync(exchange, refused, id.Value, disconnected).ConfigureAwait(false);
            return;
        }

        ReadOnlyMemory<byte> json = JsonText.Object(writer =>
        {
            WriteMembers(writer, id, head, presented.Running is not null);
            writer.WriteString("lastEventId"u8, lastEvent.ToString());
        });
        string tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(json.Span).AsSpan(0, 16))}\"";
        exchange.Response.Headers.Add("ETag"u8, tag);
        if (!HasTag(exchange.Request, tag))
        {
            await ChannelWire.SendJsonAsync(exchange.Response, 200, json, disconnected).ConfigureAwait(false);
            return;
        }

        exchange.Response.Headers.Add("Cache-Control"u8, "no-store"u8);
        exchange.Response.Status = 304;
        await exchange.Response.SendAsync(ReadOnlyMemory<byte>.Empty, disconnected).ConfigureAwait(false);
    }

    /// <summary><c>GET /v1/session/{sessionId}/timeline</c></summary>
    public async ValueTask TimelineAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if (await replies.SessionOfAsync(exchange, disconnected).ConfigureAwait(false) is not { } id
            || await JudgeAsync(exchange, id, disconnected).ConfigureAwait(false) is not { } presented)
            return;
        long after = -1, limit = DefaultRecords;
        if (!QueryParameters.TryNumber(exchange.Request, "after"u8, 0, long.MaxValue - 1, ref after)
            || !QueryParameters.TryNumber(exchange.Request, "limit"u8, 1, MostRecords, ref limit))
        {
            await wire.RefuseAsync(exchange, RefusalCode.BadRequest, cancel: disconnected).ConfigureAwait(false);
            return;
        }

        // A marker that is written and not on disk yet is no record.
        long until = presented.Running?.Events.PublishedSeq ?? long.MaxValue;
        List<JournalEntry> records = [];
        try
        {
            await foreach (JournalEntry entry in wire.Sessions.Settings.Store.ReadAsync(id, after + 1, disconnected).ConfigureAwait(false))
            {
                if (entry.Seq > until || records.Count > limit)
                    break;
                if (entry.IsPublic)
                    records.Add(entry);
            }
        }
        catch (Exception e) when (!disconnected.IsCancellationRequested)
        {
            await replies.RefusedAsync(exchange, wire.Sessions.StoreFailed(e), id.Value, disconnected).ConfigureAwait(false);
            return;
        }

        bool isCut = records.Count > limit;
        if (isCut)
            records.RemoveAt(records.Count - 1);
        await ChannelWire.SendJsonAsync(exchange.Response, 200, JsonText.Object(json =>
        {
            json.WriteStartArray("records"u8);
            foreach (JournalEntry record in records)
                json.WriteRawValue(record.Utf8.Span, skipInputValidation: true);
            json.WriteEndArray();
            if (isCut)
                json.WriteNumber("next"u8, records[^1].Seq);
            else
                json.WriteNull("next"u8);
        }), disconnected).ConfigureAwait(false);
    }

    /// <summary>The members that tell where a session stands.</summary>
    public void WriteMembers(Utf8JsonWriter json, SessionId id, SessionHead head, bool isRunning)
    {
        json.WriteString("sessionId"u8, id.Value);
        json.WriteNumber("turn"u8, head.Turn);
        json.WriteString("status"u8, isRunning ? "running"u8 : NameOf(head.Status));
        json.WriteBoolean("inFlight"u8, isRunning);
        if (head.Wait is { } wait)
        {
            json.WritePropertyName("wait"u8);
            WaitJson.Write(json, wait);
        }

        json.WriteString("createdAt"u8, WireJson.Timestamp(head.CreatedAt));
        json.WriteString("updatedAt"u8, WireJson.Timestamp(head.UpdatedAt));
        if (wire.Sessions.ExpiryOf(head) is { } at)
            json.WriteString("expiresAt"u8, WireJson.Timestamp(at));
    }

    private static ReadOnlySpan<byte> NameOf(SessionStatus status) => status switch
    {
        SessionStatus.New => "new"u8,
        SessionStatus.Parked => "parked"u8,
        _ => "finished"u8,
    };

    // Null where it was refused.
    private async ValueTask<Presented?> JudgeAsync(HttpExchange exchange, SessionId id, CancellationToken disconnected)
    {
        Admission refused;
        try
        {
            Presented presented = await wire.Sessions.Presenters.JudgeAsync(
                id, TokenField.Read(exchange.Request), exchange.Principal, CancellationToken.None).ConfigureAwait(false);
            if (!presented.IsRefused)
                return presented;
            refused = presented.Refused;
        }
        catch (Exception e)
        {
            refused = wire.Sessions.StoreFailed(e);
        }

        await replies.RefusedAsync(exchange, refused, id.Value, disconnected).ConfigureAwait(false);
        return null;
    }

    // RFC 9110 section 13.1.2: the comparison is weak.
    private static bool HasTag(HttpRequest request, string tag)
    {
        byte[] own = Encoding.ASCII.GetBytes(tag);
        foreach (ReadOnlySpan<byte> field in request.Headers.ValuesOf("if-none-match"u8))
            foreach (ReadOnlySpan<byte> known in new ListElements(field))
                if (known.SequenceEqual("*"u8) || (known.StartsWith("W/"u8) ? known[2..] : known).SequenceEqual(own))
                    return true;
        return false;
    }
}
