using System.Buffers.Text;
using System.Text;
using Iris.Net.Journal;
using Iris.Net.Server;
using Iris.Net.Stores;

namespace Iris.Net.Endpoints;

/// <summary>All sessions, for whom the host's own check grants it; for any other there is no such route.</summary>
internal sealed class SessionList(ChannelWire wire, SessionReading reading, Authorizer admin, HttpHandler asIfNoRoute)
{
    private const int DefaultSessions = 100;
    private const int MostSessions = 1000;
    private const string Running = "running";

    /// <summary><c>GET /v1/sessions</c></summary>
    public async ValueTask GetAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if (!await IsGrantedAsync(exchange, disconnected).ConfigureAwait(false))
        {
            await asIfNoRoute(exchange, disconnected).ConfigureAwait(false);
            return;
        }

        if (!TryRead(exchange.Request, out string? status, out ListQuery query))
        {
            await wire.RefuseAsync(exchange, RefusalCode.BadRequest, cancel: disconnected).ConfigureAwait(false);
            return;
        }

        HashSet<string> running = [.. wire.Sessions.Running.Sessions];
        List<ListedSession> sessions;
        try
        {
            ListQuery more = query with { Limit = query.Limit + 1 };
            sessions = await (status == Running
                ? FindRunningAsync(running, more, disconnected)
                : FindAsync(running, more, disconnected)).ConfigureAwait(false);
        }
        catch (Exception e) when (!disconnected.IsCancellationRequested)
        {
            wire.Sessions.StoreFailed(e);
            await wire.RefuseAsync(exchange, RefusalCode.StoreUnavailable, cancel: disconnected).ConfigureAwait(false);
            return;
        }

        bool isCut = sessions.Count > query.Limit;
        if (isCut)
            sessions.RemoveAt(sessions.Count - 1);
        await ChannelWire.SendJsonAsync(exchange.Response, 200, JsonText.Object(json =>
        {
            json.WriteStartArray("sessions"u8);
            foreach (ListedSession session in sessions)
            {
                json.WriteStartObject();
                reading.WriteMembers(json, session.Id, session.Head, running.Contains(session.Id.Value));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("next"u8, isCut ? Base64Url.EncodeToString(Encoding.UTF8.GetBytes(sessions[^1].Id.Value)) : null);
        }), disconnected).ConfigureAwait(false);
    }

    private async ValueTask<bool> IsGrantedAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        try
        {
            return (await admin(exchange, disconnected).ConfigureAwait(false)).Principal is not null;
        }
        catch (Exception e) when (!disconnected.IsCancellationRequested)
        {
            wire.Sessions.Report("admin", e);
            return false;
        }
    }

    // What runs is told as running, whatever its last commit says.
    private async Task<List<ListedSession>> FindAsync(HashSet<string> running, ListQuery query, CancellationToken cancel)
    {
        List<ListedSession> found = [];
        ListQuery all = query.Status is null ? query : query with { Limit = query.Limit + running.Count };
        await foreach (ListedSession session in wire.Sessions.Settings.Store.ListAsync(all, cancel).ConfigureAwait(false))
        {
            if (query.Status is null || !running.Contains(session.Id.Value))
                found.Add(session);
            if (found.Count == query.Limit)
                break;
        }

        return found;
    }

    private async Task<List<ListedSession>> FindRunningAsync(HashSet<string> running, ListQuery query, CancellationToken cancel)
    {
        List<ListedSession> found = [];
        foreach (string id in running.Where(id => string.CompareOrdinal(id, query.After) > 0).Order(StringComparer.Ordinal))
        {
            if (await wire.Sessions.Settings.Store.FindAsync(new SessionId(id), cancel).ConfigureAwait(false) is { } head)
                found.Add(new ListedSession(new SessionId(id), head));
            if (found.Count == query.Limit)
                break;
        }

        return found;
    }

    private static bool TryRead(HttpRequest request, out string? status, out ListQuery query)
    {
        query = new ListQuery();
        long limit = DefaultSessions;
        if (!QueryParameters.TryText(request, "status"u8, out status)
            || !QueryParameters.TryNumber(request, "limit"u8, 1, MostSessions, ref limit)
            || !QueryParameters.TryText(request, "cursor"u8, out string? cursor)
            || status is not (null or "new" or Running or "parked" or "finished"))
            return false;
        query = new ListQuery(
            status switch
            {
                "new" => SessionStatus.New,
                "parked" => SessionStatus.Parked,
                "finished" => SessionStatus.Finished,
                _ => null,
            },
            After: null, (int)limit);
        if (cursor is null)
            return true;
        try
        {
            query = query with { After = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor)) };
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
