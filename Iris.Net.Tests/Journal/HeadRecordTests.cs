using System.Text;
using Iris.Net.Journal;

namespace Iris.Net.Tests.Journal;

/// <summary>A head that was written into a record comes out of it as it was.</summary>
public sealed class HeadRecordTests
{
    private static readonly DateTimeOffset Created = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000);

    private static SessionHead RoundTrip(SessionHead head, bool isCommit = true)
    {
        using RecordWriter writer = new("0123456789abcdef");
        long now = head.UpdatedAt.ToUnixTimeMilliseconds();
        return HeadRecord.Read(isCommit ? writer.Commit(head.NextSeq - 1, now, head) : writer.Session(head.NextSeq - 1, now, head));
    }

    private static void AssertSame(SessionHead read, SessionHead head)
    {
        // Memory is compared by what it holds.
        foreach (Func<SessionHead, ReadOnlyMemory<byte>> bytes in (Func<SessionHead, ReadOnlyMemory<byte>>[])
            [h => h.Guard, h => h.Spent, h => h.Sealed, h => h.Salt, h => h.State, h => h.Reply, h => h.RequestKey, h => h.RequestBody])
            Assert.That(bytes(read).ToArray(), Is.EqualTo(bytes(head).ToArray()));
        Assert.That(Rest(read), Is.EqualTo(Rest(head)));

        static SessionHead Rest(SessionHead head) => head with
        {
            Guard = default,
            Spent = default,
            Sealed = default,
            Salt = default,
            State = default,
            Reply = default,
            RequestKey = default,
            RequestBody = default,
        };
    }

    [Test]
    public void ANewSessions()
    {
        SessionHead head = new() { Guard = new byte[32], Salt = new byte[16], NextSeq = 1, CreatedAt = Created, UpdatedAt = Created };
        AssertSame(RoundTrip(head, isCommit: false), head);
    }

    [TestCase("user")]
    [TestCase("signal")]
    [TestCase("timer")]
    [TestCase(null)]
    public void ACommits(string? wait)
    {
        SessionHead head = new()
        {
            Guard = new byte[] { 1 },
            Spent = new byte[] { 2 },
            Sealed = new byte[] { 3 },
            Turn = 7,
            ClientTurns = 5,
            NextSeq = 99,
            Status = wait is null ? SessionStatus.Finished : SessionStatus.Parked,
            Wait = wait switch
            {
                "user" => SessionWait.User,
                "signal" => SessionWait.Signal("<\ud83d\ude00>"),
                "timer" => SessionWait.Timer(Created.AddYears(1)),
                _ => null,
            },
            Principal = "some\"body",
            Salt = new byte[] { 4 },
            State = Encoding.UTF8.GetBytes("{\"s\":\"\u00e4\\u0041\",\"n\":1.50}"),
            Reply = "{\"status\":\"finished\",\"output\":null}"u8.ToArray(),
            RequestSeq = 90,
            RequestKey = new byte[] { 5 },
            RequestBody = new byte[] { 6 },
            CreatedAt = Created,
            UpdatedAt = Created.AddSeconds(1),
        };
        AssertSame(RoundTrip(head), head);
    }

    [TestCase("")]
    [TestCase("{")]
    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("{\"ts\":1,\"payload\":{\"guard\":1}}")]
    [TestCase("{\"ts\":1,\"payload\":{\"guard\":\"%\"}}")]
    [TestCase("{\"ts\":1,\"payload\":{\"turn\":\"1\"}}")]
    [TestCase("{\"ts\":1,\"payload\":{\"wait\":{\"kind\":\"x\"}}}")]
    [TestCase("{\"ts\":1,\"payload\":{\"wait\":{\"kind\":\"signal\",\"name\":\"\"}}}")]
    [TestCase("{\"ts\":1,\"payload\":{\"created\":9999999999999999}}")]
    public void WhatHoldsNoHeadIsInvalid(string json) => Assert.That(
        () => HeadRecord.Read(new JournalEntry(3, RecordKind.Commit, Encoding.UTF8.GetBytes(json))),
        Throws.InstanceOf<InvalidDataException>().With.Message.Contains("Record 3"));
}
