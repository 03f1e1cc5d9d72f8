using Iris.Net.Http;

namespace Iris.Net.Server;

/// <summary>Answers one request. The exchange ends when the handler returns; using it afterwards throws.</summary>
/// <param name="exchange">The request and its response.</param>
/// <param name="disconnected">Cancelled once the connection is known to be gone.</param>
public delegate ValueTask HttpHandler(HttpExchange exchange, CancellationToken disconnected);

/// <summary>Serves one WebSocket connection. When the handler returns, the connection is closed with 1000; when it throws,
/// with 1011.</summary>
/// <param name="socket">The connection.</param>
/// <param name="disconnected">Cancelled once the connection is known to be gone.</param>
public delegate ValueTask WebSocketHandler(WebSocketConnection socket, CancellationToken disconnected);

/// <summary>Makes the body of a refusal that the server itself decided on, such as 400, 413 or 500. The status is already
/// set; the hook adds header fields and returns the body.</summary>
/// <param name="request">The request; null where its head could not be read.</param>
/// <param name="response">Takes the header fields. Its send methods throw here.</param>
/// <param name="reason">Why.</param>
public delegate ReadOnlyMemory<byte> RejectionBody(HttpRequest? request, HttpResponse response, RejectionReason reason);
