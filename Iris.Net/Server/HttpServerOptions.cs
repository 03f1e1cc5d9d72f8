namespace Iris.Net.Server;

/// <summary>How a server behaves.</summary>
public sealed record HttpServerOptions
{
    /// <summary>What a peer may consume.</summary>
    public HttpServerLimits Limits { get; init; } = new();

    /// <summary>All the time there is.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Runs before every route's handler, <see cref="Router.NotFound"/>, <see cref="Router.MethodNotAllowed"/> and
    /// WebSocket handshake, once the route is known. Where it answers, nothing else runs.</summary>
    public HttpHandler? Before { get; init; }

    /// <summary>Makes the bodies of the server's own refusals. Null: one line of text.</summary>
    public RejectionBody? OnRejected { get; init; }

    /// <summary>Adds header fields to a refused WebSocket handshake, whose body is empty. The status is already set.</summary>
    public Action<HttpRequest, HttpResponse>? OnUpgradeRefused { get; init; }

    /// <summary>Is told of what a handler threw, and of errors of the server itself. Null: they are dropped.</summary>
    public Action<ChannelLog>? Log { get; init; }
}
