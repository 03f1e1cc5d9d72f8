using Iris.Net;

await using var channel = new RestChannel(HostAdapter.Create(async (turn, cancel) =>
{
    await turn.DeltaAsync($"turn {turn.Number}", cancel);
    return TurnOutcome.Finished(output: turn.Body);
}));
Console.WriteLine($"POST {await channel.ListenAsync()}v1/session, Enter ends");
Console.ReadLine();
