namespace Iris.Net.Server;

/// <summary>What is answered where nobody said otherwise.</summary>
internal static class DefaultHandlers
{
    public static HttpHandler NotFound { get; } = (exchange, disconnected) =>
    {
        exchange.Response.Status = 404;
        exchange.Response.Headers.Add("Content-Type"u8, "text/plain"u8);
        return exchange.Response.SendAsync("There is nothing here.\n"u8, disconnected);
    };

    public static HttpHandler MethodNotAllowed { get; } = (exchange, disconnected) =>
    {
        exchange.Response.Status = 405;
        exchange.Response.Headers.Add("Allow"u8, exchange.Route.Allow);
        exchange.Response.Headers.Add("Content-Type"u8, "text/plain"u8);
        return exchange.Response.SendAsync("The method is not allowed here.\n"u8, disconnected);
    };

    /// <summary>OPTIONS of the server as a whole, RFC 9110 section 9.3.7.</summary>
    public static HttpHandler ServerOptions { get; } = (exchange, disconnected) =>
    {
        exchange.Response.Status = 204;
        exchange.Response.Headers.Add("Allow"u8, exchange.Route.Allow);
        return exchange.Response.SendAsync(default(ReadOnlySpan<byte>), disconnected);
    };
}
