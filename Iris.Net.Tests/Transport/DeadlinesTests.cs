using Iris.Net.Transport;

namespace Iris.Net.Tests.Transport;

[Parallelizable(ParallelScope.All)]
public class DeadlinesTests
{
    [Test]
    public void Every_member_is_told_of_every_second_until_it_leaves()
    {
        var time = new ManualTime();
        using var deadlines = new Deadlines(time, null);
        Member[] members = [.. Enumerable.Range(0, 40).Select(_ => new Member())];
        foreach (Member member in members)
            deadlines.Add(member);
        time.Advance(1);
        foreach (Member member in members.Where((_, index) => index % 3 == 0))
            deadlines.Remove(member);
        time.Advance(2);
        Assert.That(members.Select((member, index) => (index, string.Join(',', member.Ticks))),
            Is.EqualTo(members.Select((_, index) => (index, index % 3 == 0 ? "1000" : "1000,2000,3000"))));
        Assert.That((deadlines.Count, deadlines.Now), Is.EqualTo((26, 3000L)));
    }

    [Test]
    public void A_member_that_throws_is_reported_and_costs_the_others_nothing()
    {
        var time = new ManualTime();
        List<Exception> errors = [];
        using var deadlines = new Deadlines(time, errors.Add);
        Member bad = new() { Throws = true }, good = new();
        deadlines.Add(bad);
        deadlines.Add(good);
        time.Advance(2);
        Assert.That((errors.Count, good.Ticks.Count), Is.EqualTo((2, 2)));
    }

    private sealed class Member : Timed
    {
        public List<long> Ticks { get; } = [];

        public bool Throws { get; init; }

        public override void Tick(long now)
        {
            Ticks.Add(now);
            if (Throws)
                throw new InvalidOperationException();
        }
    }
}
