using System.Text.Json;
using Iris.Serve;

namespace Iris.Net.Tests.Serve;

internal sealed class EchoProgramTests
{
    [TestCase("""{"messages":[{"role":"user","content":"one"},{"role":"user","content":"two"}]}""", "two")]
    [TestCase("""{"messages":[{"content":"first"}],"message":"second"}""", "first")]
    [TestCase("""{"messages":[],"message":"only"}""", "only")]
    [TestCase("""{"messages":[{"content":5}],"message":"only"}""", "only")]
    [TestCase("""{"messages":["x"],"message":"only"}""", "only")]
    [TestCase("""{"messages":7,"message":"only"}""", "only")]
    [TestCase("\"plain\"", "plain")]
    [TestCase("""{"message":{"text":"x"}}""", "")]
    [TestCase("{}", "")]
    [TestCase("null", "")]
    [TestCase("5", "")]
    [TestCase("[]", "")]
    public async Task Says_back_the_message_of(string body, string message)
    {
        InMemoryTurn turn = TurnContext.InMemory(JsonElement.Parse(body));
        Assert.That(await EchoProgram.RunAsync(turn, default), Is.EqualTo(TurnOutcome.ParkedOnUser()));
        Assert.That(turn.Text, Is.EqualTo("echo: " + message));
    }

    [TestCase("  two  words ")]
    [TestCase("line\nline")]
    [TestCase(" ")]
    public async Task Keeps_every_white_space(string message)
    {
        InMemoryTurn turn = TurnContext.InMemory(JsonSerializer.SerializeToElement(new { message }));
        await EchoProgram.RunAsync(turn, default);
        Assert.That(turn.Text, Is.EqualTo("echo: " + message));
    }
}
