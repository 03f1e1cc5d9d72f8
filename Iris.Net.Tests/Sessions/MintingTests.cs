using System.Text;
using Iris.Net.Sessions;

namespace Iris.Net.Tests.Sessions;

internal sealed class MintingTests
{
    private static string?[] Bad(int max) => [null, "", new string('x', max + 1), "a\ud800", "\udc00b", "a\0", "a\r\nb", "\u007f"];

    [Test]
    public void RandomOnesAreLongEnoughAndNeverTheSame()
    {
        Minting minting = new(null, null);
        HashSet<string> ids = [], tokens = [], names = [];
        for (int i = 0; i < 2000; i++)   // more than one block of random bytes
        {
            Assert.That(ids.Add(minting.SessionId()) && tokens.Add(Encoding.ASCII.GetString(minting.Token())));
            names.Add(minting.ShortName());
            Assert.That(minting.Salt(), Has.Length.EqualTo(16).And.Not.EqualTo(new byte[16]));
        }

        Assert.That(ids, Has.All.Match("^[A-Za-z0-9_-]{22}$"));
        Assert.That(tokens, Has.All.Match("^[A-Za-z0-9_-]{43}$"));
        Assert.That(names, Has.All.Match("^[A-Za-z0-9_-]{6}$"));
        Assert.That(names, Has.Count.GreaterThan(1990));
    }

    [Test]
    public void NothingIsHandedOutTwiceToThreads()
    {
        Minting minting = new(null, null);
        string[] tokens = [.. ParallelEnumerable.Range(0, 20_000).Select(_ => Encoding.ASCII.GetString(minting.Token()))];
        Assert.That(tokens.Distinct().Count(), Is.EqualTo(tokens.Length));
    }

    [Test]
    public void AHostsOwnAreTakenAsTheyAre()
    {
        foreach (string own in (string[])["x", new string('x', 128), "a/b c%", "😀ä"])
        {
            Minting minting = new(() => own, () => own);
            Assert.That(minting.SessionId(), Is.EqualTo(own));
            Assert.That(Encoding.UTF8.GetString(minting.Token()), Is.EqualTo(own));
        }

        Assert.That(new Minting(null, () => new string('x', 512)).Token(), Has.Length.EqualTo(512));
    }

    [Test]
    public void IdsThatNoClientCouldSendAreRefused()
    {
        foreach (string? bad in Bad(128))
            Assert.That(() => new Minting(() => bad!, null).SessionId(), Throws.InvalidOperationException, bad);
    }

    [Test]
    public void TokensThatNoClientCouldSendAreRefused()
    {
        foreach (string? bad in Bad(512))
            Assert.That(() => new Minting(null, () => bad!).Token(), Throws.InvalidOperationException, bad);
    }

    [Test]
    public async Task ABadTokenAtACommitFailsTheAttemptAndKeepsTheOldOne()
    {
        int minted = 0;
        string[] bad = ["T0", "", new string('x', 513), "T1"];
        await using SessionTester host = new(change: s => s with { MintToken = () => bad[minted++] });
        SessionTesterClient client = host.Client();
        for (int i = 0; i < 2; i++)
        {
            Assert.That((await client.SendAsync()).Status, Is.EqualTo(TurnStatus.Failed));
            Assert.That(client.TokenText, Is.EqualTo("T0"));
        }

        Assert.That((await client.SendAsync()).IsCommitted);
        Assert.That(client.TokenText, Is.EqualTo("T1"));
    }

    [Test]
    public async Task ABadFirstTokenMakesNoSession()
    {
        await using SessionTester host = new(change: s => s with { MintToken = () => "" });
        Admission admission = await host.Client().AdmitAsync();
        Assert.That((admission.Refusal, admission.Turn), Is.EqualTo((Refusal.None, (RunningTurn?)null)));
        Assert.That(host.Reports.Single(), Is.EqualTo((admission.Failure!.ErrorId, admission.Failure.Error)));
        Assert.That(host.Memory.Count, Is.Zero);
    }
}
