namespace Iris.Net.Tests.Turns;

public sealed class TurnOutcomeTests
{
    private static readonly JsonPayload Left = JsonPayload.Parse("{\"n\":1}"u8);

    [TestCase(0)]
    [TestCase(129)]
    public void ASignalNameOfTheWrongLengthIsRefused(int length)
    {
        string name = new('x', length);
        Assert.That(() => SessionWait.Signal(name), Throws.ArgumentException);
        Assert.That(() => TurnOutcome.ParkedOnSignal(name), Throws.ArgumentException);
    }

    [TestCase("a\nb")]
    [TestCase("\0")]
    [TestCase(".")]
    [TestCase("..")]
    public void ASignalThatNoUrlCanNameIsRefused(string name) => Assert.That(() => SessionWait.Signal(name), Throws.ArgumentException);

    [Test]
    public void ASignalWithoutANameIsRefused() => Assert.That(() => SessionWait.Signal(null!), Throws.ArgumentNullException);

    [Test]
    public void ASignalNameWithALoneSurrogateIsRefused()
    {
        foreach (string name in (string[])["\ud800", "\udc00", "a\ud83d", "\ude00\ud83d", "😀\ud83d😀"])
            Assert.That(() => SessionWait.Signal(name), Throws.ArgumentException);
        Assert.That(SessionWait.Signal("😀ä").Name, Is.EqualTo("😀ä"));
    }

    [TestCase(1)]
    [TestCase(128)]
    public void ASignalNameOfTheRightLengthIsKept(int length)
    {
        SessionWait wait = SessionWait.Signal(new string('x', length));
        Assert.That(wait, Has.Property("Kind").EqualTo(WaitKind.Signal).And.Property("Name").Length.EqualTo(length));
        Assert.That(wait.At, Is.Null);
    }

    [Test]
    public void ATimerKeepsMilliseconds()
    {
        var at = new DateTimeOffset(2030, 1, 2, 3, 4, 5, 678, TimeSpan.FromHours(2)).AddTicks(9_999);
        SessionWait wait = SessionWait.Timer(at);
        Assert.That(wait.At!.Value.ToUnixTimeMilliseconds(), Is.EqualTo(at.ToUnixTimeMilliseconds()));
        Assert.That(wait.At.Value.UtcTicks % TimeSpan.TicksPerMillisecond, Is.Zero);
        Assert.That(wait.Name, Is.Null);
    }

    [Test]
    public void ATimerMayLieAtBothEndsOfTime() => Assert.Multiple(() =>
    {
        Assert.That(SessionWait.Timer(DateTimeOffset.MinValue).At, Is.EqualTo(DateTimeOffset.MinValue));
        Assert.That(SessionWait.Timer(DateTimeOffset.MaxValue).At, Is.LessThanOrEqualTo(DateTimeOffset.MaxValue));
    });

    [Test]
    public void EachOutcomeCarriesWhatItWasGiven() => Assert.Multiple(() =>
    {
        Assert.That(TurnOutcome.Finished(Left, JsonPayload.Null), Is.EqualTo(new FinishedOutcome(Left, JsonPayload.Null)));
        Assert.That(TurnOutcome.Finished(), Is.EqualTo(new FinishedOutcome(default, default)));
        Assert.That(TurnOutcome.ParkedOnUser(Left), Is.EqualTo(new ParkedOutcome(SessionWait.User, Left)));
        Assert.That(TurnOutcome.ParkedOnSignal("go"), Is.EqualTo(new ParkedOutcome(SessionWait.Signal("go"), default)));
        Assert.That(
            TurnOutcome.ParkedOnTimer(DateTimeOffset.UnixEpoch, Left),
            Is.EqualTo(new ParkedOutcome(SessionWait.Timer(DateTimeOffset.UnixEpoch), Left)));
        Assert.That(TurnOutcome.Contended(7), Is.EqualTo(new ContendedOutcome(7)));
        Assert.That(TurnOutcome.Aborted("why"), Is.EqualTo(new AbortedOutcome("why")));
    });
}
