using System.Security.Cryptography;
using System.Text;
using Iris.Net.Journal;
using Iris.Net.Sessions;

namespace Iris.Net.Tests.Sessions;

/// <summary>What is derived from a channel's key.</summary>
internal sealed class ChannelKeyTests
{
    private static readonly byte[] Salt = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];

    private static ChannelKey Key(byte first = 1) => new(Bytes(first));

    private static byte[] Bytes(byte first) => [first, .. new byte[31]];

    private static string Text(byte[] utf8) => Encoding.UTF8.GetString(utf8);

    [Test]
    public void WhatIsDerivedStaysTheSame()
    {
        Assert.That(Text(Key().ForToken("s", Salt, 3)), Is.EqualTo(Text(Key().ForToken("s", Salt, 3))).And.Length.EqualTo(43));
        Assert.That(Key().ForSessionId("p", "k"), Is.EqualTo(Key().ForSessionId("p", "k")).And.Length.EqualTo(22));
        Assert.That(Key().ForStep("s", 1, 2, "n"), Is.EqualTo(Key().ForStep("s", 1, 2, "n")));
    }

    [Test]
    public void NoTwoMeaningsCollide()
    {
        List<string> all = [];
        foreach (ChannelKey key in (ChannelKey[])[Key(), Key(2)])
        {
            // Names and keys that run into one another where nothing says how long they are.
            foreach (string id in (string[])["", "s", "s1", "1", "\0"])
            {
                foreach (byte[] salt in (byte[][])[Salt, Salt[..15], [.. Salt, 0], []])
                    for (long turns = 0; turns < 3; turns++)
                        all.Add(Text(key.ForToken(id, salt, turns)));
                foreach (string name in (string[])["", "s", "1s", "\0"])
                    for (int step = 0; step < 3; step++)
                        all.AddRange(key.ForStep(id, 0, step, name), key.ForStep(id, 1, step, name), key.ForStep(id, 256, step, name));
            }

            foreach (string? principal in (string?[])[null, "", "a", "ab", "b", "\0"])
                foreach (string name in (string[])["a", "b", "ab", "ba", "bb", "\0"])
                    all.Add(key.ForSessionId(principal, name));
        }

        Assert.That(all, Is.Unique);
        Assert.That(all.Select(one => one[..22]), Is.Unique, "ids are shorter, and still nobody else's");
    }

    [Test]
    public void WhatWasSealedOpensWithItsKeyAndSessionAlone()
    {
        byte[] token = "a token"u8.ToArray(), box = Key().Seal(token, "s");
        Assert.That(Key().Open(box, "s"), Is.EqualTo(token));
        Assert.That(Key(2).Open(box, "s"), Is.Null);
        Assert.That(Key().Open(box, "S"), Is.Null);
        Assert.That(Key().Seal(token, "s"), Is.Not.EqualTo(box), "a nonce of its own each time");
        for (int i = 0; i < box.Length; i++)
        {
            byte[] bent = [.. box];
            bent[i] ^= 1;
            Assert.That(Key().Open(bent, "s"), Is.Null, $"byte {i}");
            Assert.That(Key().Open(box.AsSpan(0, i), "s"), Is.Null, $"cut at {i}");
        }
    }

    [TestCase(false, TestName = "A derived token goes on under a newer key")]
    [TestCase(true, TestName = "A sealed token goes on under a newer key")]
    public async Task ATokenGoesOnUnderANewerKey(bool isMinted)
    {
        int minted = 0;
        Func<string>? mint = isMinted ? () => $"token {++minted}" : null;
        await using MemoryStateStore memory = new();
        SessionTesterClient client;
        string spent;
        await using (SessionTester old = Make(1))
        {
            client = old.Client();
            await client.SendAsync();
            spent = client.TokenText;
            await client.SendAsync();
        }

        await using (SessionTester both = Make(2, 1))
        {
            client = client.At(both);
            Assert.That((await client.AskAsync()).Replayed!.End.Token.ToArray(), Is.EqualTo(client.Token.ToArray()));
            Admission receipt = await client.With(spent).AskAsync();
            Assert.That(receipt.Replayed!.End.Token.ToArray(), Is.EqualTo(client.Token.ToArray()));
            Assert.That((await client.SendAsync()).IsCommitted);
        }

        await using (SessionTester latest = Make(2))
        {
            client = client.At(latest);
            Assert.That((await client.AskAsync()).Replayed!.End.Token.ToArray(), Is.EqualTo(client.Token.ToArray()));
            Assert.That((await client.SendAsync()).IsCommitted);
        }

        await using SessionTester stranger = Make(3);
        Assert.That((await client.At(stranger).AskAsync()).Refusal, Is.EqualTo(Refusal.StaleToken));
        foreach (string? key in (string?[])[null, "k"])
            Assert.That((await client.At(stranger).AdmitAsync("1", key)).Refusal, Is.EqualTo(Refusal.StaleToken));
        await using SessionTester again = Make(2);
        Assert.That((await client.At(again).SendAsync()).IsCommitted, "the stranger left no lease");

        SessionTester Make(params byte[] keys) => new(
            store: new DurableMemory(memory),
            change: s => s with { MintToken = mint, Time = TimeProvider.System, Keys = [.. keys.Select(k => (ReadOnlyMemory<byte>)Bytes(k))] });
    }

    [Test]
    public async Task NoStoreThatOutlivesTheProcessSeesAToken()
    {
        await using SessionTester host = new(wrap: memory => new DurableMemory(memory), change: s => s with { MintToken = () => "a secret" });
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        SessionHead head = (await host.Memory.FindAsync(client.Id))!;
        Assert.That(head.Guard.ToArray(), Is.EqualTo(SHA256.HashData("a secret"u8)));
        Assert.That(await host.RecordsAsync(client.Id), Has.None.Contains("a secret"));
        Assert.That(client.TokenText, Is.EqualTo("a secret"));
    }
}
