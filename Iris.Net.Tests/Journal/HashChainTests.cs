using System.Security.Cryptography;
using System.Text;
using Iris.Net.Journal;

namespace Iris.Net.Tests.Journal;

public sealed class HashChainTests
{
    [Test]
    public void It_begins_with_the_sessions_id() => Assert.That(
        HashChain.Of("abc").ToString(), Is.EqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(991)]
    [TestCase(992)]
    [TestCase(993)]
    [TestCase(100_000)]
    public void Each_record_is_hashed_behind_the_hash_before_it(int length)
    {
        byte[] record = new byte[length];
        Random.Shared.NextBytes(record);
        byte[] expected = SHA256.HashData([.. SHA256.HashData(Encoding.UTF8.GetBytes("abc")), .. record]);
        Assert.That(HashChain.Of("abc").After(record).ToString(), Is.EqualTo(Convert.ToHexStringLower(expected)));
        Assert.That(HashChain.Read(expected), Is.EqualTo(HashChain.Of("abc").After(record)));
    }
}
