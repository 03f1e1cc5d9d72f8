using Iris.Net.Server;

namespace Iris.Net.Endpoints;

/// <summary>The ticket that stands in a query.</summary>
internal static class TicketParameter
{
    /// <summary>Null where there is none, empty where there are several: those open nothing.</summary>
    public static string? Read(HttpRequest request) => QueryParameters.TryText(request, "ticket"u8, out string? ticket) ? ticket : "";
}
