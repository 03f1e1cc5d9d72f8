using System.Net;
using System.Text;
using System.Text.Json;

namespace Iris.Net.Tests.Serve;

/// <summary>A client of one session that never gives up: what it lost it finds again by its idempotency key, or by its spent token
/// alone.</summary>
internal sealed class LedgerClient(LedgerServer server, bool usesKeys, Action acknowledged)
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(30) });
    private string? _token;

    public string? SessionId { get; private set; }

    /// <summary>How many turns were answered.</summary>
    public long Acknowledged { get; private set; }

    /// <summary>How often a reply was lost and found again.</summary>
    public int Recovered { get; private set; }

    /// <summary>How often the store could not be written.</summary>
    public int Unavailable { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
                await TurnAsync(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The turn under way is nobody's any more.
        }
    }

    private async Task TurnAsync(CancellationToken stop)
    {
        long number = Acknowledged + 1;
        string? key = usesKeys || SessionId is null ? Guid.NewGuid().ToString("N") : null;
        bool isLost = false;
        while (true)
        {
            Uri url = await server.UrlAsync(stop);
            try
            {
                (HttpStatusCode status, JsonElement reply) = isLost && key is null
                    ? await ReceiptAsync(url, stop)
                    : await PostAsync(url, number, key, stop);
                if (status == HttpStatusCode.OK && reply.GetProperty("status").ValueEquals("finished") && Token(reply) != _token)
                {
                    Recovered += isLost ? 1 : 0;
                    Take(reply, number);
                    return;
                }

                // A receipt that says that nothing committed, or that it runs still; or a server or a store that is not ready.
                bool mayAgain = status is HttpStatusCode.OK or HttpStatusCode.Accepted or HttpStatusCode.ServiceUnavailable;
                Assert.That(mayAgain, $"turn {number}: {status} {reply}");
                if (status == HttpStatusCode.OK)
                    isLost = false;
                if (status != HttpStatusCode.ServiceUnavailable)
                    continue;
                Assert.That(reply.GetProperty("code").GetString(), Is.EqualTo("store-unavailable"));
                Unavailable++;
                isLost = true;   // its receipt tells whether it committed
                await Task.Delay(20, stop);   // no storm while the disk is ill
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                isLost = true;
            }
        }
    }

    private void Take(JsonElement reply, long number)
    {
        Assert.That(reply.GetProperty("output").GetInt64(), Is.EqualTo(number), "no turn is missing, and none ran twice");
        SessionId ??= reply.GetProperty("sessionId").GetString();
        _token = Token(reply);
        Acknowledged = number;
        acknowledged();
    }

    private static string? Token(JsonElement reply) => reply.GetProperty("continuationToken").GetString();

    private Task<(HttpStatusCode, JsonElement)> PostAsync(Uri url, long number, string? key, CancellationToken stop)
    {
        HttpRequestMessage request = new(HttpMethod.Post, new Uri(url, SessionId is null ? "/v1/session" : $"/v1/session/{SessionId}/message"))
        {
            Content = new StringContent($"{{\"number\":{number}}}", Encoding.UTF8, "application/json"),
        };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        return SendAsync(request, stop);
    }

    private Task<(HttpStatusCode, JsonElement)> ReceiptAsync(Uri url, CancellationToken stop) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, new Uri(url, $"/v1/session/{SessionId}/turn")), stop);

    private async Task<(HttpStatusCode, JsonElement)> SendAsync(HttpRequestMessage request, CancellationToken stop)
    {
        using (request)
        {
            if (_token is not null)
                request.Headers.Add("X-Continuation-Token", _token);
            using HttpResponseMessage response = await _http.SendAsync(request, stop);
            return (response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync(stop)));
        }
    }
}
