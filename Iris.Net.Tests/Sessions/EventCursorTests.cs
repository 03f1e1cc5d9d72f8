using System.Text;
using Iris.Net.Sessions;

namespace Iris.Net.Tests.Sessions;

internal sealed class EventCursorTests
{
    [TestCase("1.0.0.AbC-_9", 1, 0, 0, "AbC-_9")]
    [TestCase("7.120.3.000000", 7, 120, 3, "000000")]
    [TestCase("9223372036854775807.9223372036854775807.9223372036854775807.zzzzzz", long.MaxValue, long.MaxValue, long.MaxValue, "zzzzzz")]
    public void AnIdIsReadAsItIsWritten(string id, long turn, long seq, long delta, string attempt)
    {
        EventCursor cursor = new(turn, seq, delta, attempt);
        Assert.That(cursor.ToString(), Is.EqualTo(id));
        Assert.That(EventCursor.TryParse(Encoding.ASCII.GetBytes(id), out EventCursor read));
        Assert.That(read, Is.EqualTo(cursor));
    }

    [TestCase("")]
    [TestCase("1")]
    [TestCase("1.2.3")]
    [TestCase("1.2.3.")]
    [TestCase("1.2.3.abcde")]
    [TestCase("1.2.3.abcdefg")]
    [TestCase("1.2.3.abc.ef")]
    [TestCase("1.2.3.abc ef")]
    [TestCase("1.2.3.abcde\u00e9")]
    [TestCase("0.2.3.abcdef")]
    [TestCase("01.2.3.abcdef")]
    [TestCase("1.02.3.abcdef")]
    [TestCase("1.-2.3.abcdef")]
    [TestCase("1.+2.3.abcdef")]
    [TestCase(" 1.2.3.abcdef")]
    [TestCase("1.2.3.abcdef ")]
    [TestCase("1..3.abcdef")]
    [TestCase("1.2.x.abcdef")]
    [TestCase("1.2.3x.abcdef")]
    [TestCase("9223372036854775808.2.3.abcdef")]
    [TestCase("1.2.99999999999999999999.abcdef")]
    [TestCase("1.2.3.4.abcdef")]
    public void WhatIsNoIdIsRefused(string id) => Assert.That(EventCursor.TryParse(Encoding.UTF8.GetBytes(id), out _), Is.False);

    [TestCase(1, 5, 1, 4, true)]
    [TestCase(2, 0, 1, 9, true)]
    [TestCase(1, 5, 1, 5, false)]
    [TestCase(1, 5, 2, 0, false)]
    public void PlacesAreOrderedByRecordAndThenByWhatFollowsIt(long seq, long delta, long otherSeq, long otherDelta, bool isBehind)
    {
        EventPlace place = new(seq, delta), other = new(otherSeq, otherDelta);
        Assert.That((place > other, place <= other), Is.EqualTo((isBehind, !isBehind)));
    }
}
