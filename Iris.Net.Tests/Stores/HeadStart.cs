namespace Iris.Net.Tests.Stores;

/// <summary>Holds back whichever of two racers was first in the last round, for longer the more often it is first again: on every
/// machine, one core or many, both come first at times.</summary>
internal sealed class HeadStart
{
    private const int Least = 20, Most = 1 << 20;

    private int _lead, _step = Least;
    private bool _oneWasFirst;

    /// <summary>How often the one and the other were first.</summary>
    public (int One, int Other) Firsts { get; private set; }

    public void HoldOneBack() => Thread.SpinWait(Math.Max(_lead, 0));

    public void HoldOtherBack() => Thread.SpinWait(Math.Max(-_lead, 0));

    /// <summary>Says who was first.</summary>
    public void Tell(bool oneWasFirst)
    {
        _step = oneWasFirst == _oneWasFirst ? Math.Min(_step * 2, Most) : Least;
        _oneWasFirst = oneWasFirst;
        _lead = Math.Clamp(_lead + (oneWasFirst ? _step : -_step), -Most, Most);
        Firsts = oneWasFirst ? (Firsts.One + 1, Firsts.Other) : (Firsts.One, Firsts.Other + 1);
    }
}
