using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>A program as the tests write it.</summary>
internal delegate ValueTask<TurnOutcome> TurnProgram(TurnContext turn, CancellationToken cancel);

/// <summary>A running channel on a free port of the loopback.</summary>
internal sealed class Channel : IAsyncDisposable
{
    private readonly RestChannel _channel;

    private Channel(RestChannel channel, Uri url) => (_channel, Url) = (channel, url);

    public Uri Url { get; }

    public static Task<Channel> StartAsync(TurnProgram program, Func<RestChannelOptions, RestChannelOptions>? with = null) =>
        StartAsync(HostAdapter.Create((turn, cancel) => program(turn, cancel)), with);

    public static async Task<Channel> StartAsync(IHostAdapter adapter, Func<RestChannelOptions, RestChannelOptions>? with = null)
    {
        RestChannelOptions options = new() { Port = 0, ShutdownGrace = TimeSpan.FromSeconds(2) };
        RestChannel channel = new(adapter, with is null ? options : with(options));
        return new Channel(channel, await channel.ListenAsync());
    }

    /// <summary>Asks over a connection of its own.</summary>
    public async Task<RawResponse> AskAsync(RawRequest request)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(Url);
        return await connection.AskAsync(request);
    }

    /// <summary>Begins a session.</summary>
    public async Task<(string Id, string Token)> BeginAsync(params string[] fields) =>
        (await AskAsync(RawRequest.Post("/v1/session", "{}", fields))).Session;

    /// <summary>Begins to stop; the task ends when the channel has.</summary>
    public Task StopAsync(CancellationToken cancel = default) => _channel.StopAsync(cancel);

    /// <summary>A client of one session over the given face.</summary>
    public SessionClient Client(Face face) => face switch
    {
        Face.Json => new HttpSessionClient(Url, streams: false),
        Face.Sse => new HttpSessionClient(Url, streams: true),
        _ => new WebSocketSessionClient(Url),
    };

    public async ValueTask DisposeAsync() => await _channel.DisposeAsync().AsTask().Within("the channel's end");
}
