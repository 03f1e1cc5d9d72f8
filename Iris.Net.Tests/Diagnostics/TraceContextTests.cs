using System.Diagnostics;
using Iris.Net.Http;
using Iris.Net.Server;

namespace Iris.Net.Tests.Diagnostics;

/// <summary>Which parents count.</summary>
internal sealed class TraceContextTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c", Span = "b7ad6b7169203331";

    [TestCase($"00-{Trace}-{Span}-01", true)]
    [TestCase($"00-{Trace}-{Span}-00", false)]
    [TestCase($"00-{Trace}-{Span}-0f", true)]
    [TestCase($"00-{Trace}-{Span}-fe", false)]
    [TestCase($"cc-{Trace}-{Span}-01", true)]
    [TestCase($"cc-{Trace}-{Span}-01-what-ever", true)]
    public void A_parent_is_read(string value, bool isRecorded)
    {
        Assert.That(TraceContext.TryRead(Fields(("TraceParent", value)), out ActivityContext parent), Is.True);
        Assert.That(
            (parent.TraceId.ToHexString(), parent.SpanId.ToHexString(), parent.TraceFlags, parent.IsRemote, parent.TraceState),
            Is.EqualTo((Trace, Span, isRecorded ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None, true, (string?)null)));
    }

    [TestCase("")]
    [TestCase($"00-{Trace}-{Span}")]
    [TestCase($"00-{Trace}-{Span}-1")]
    [TestCase($"00-{Trace}-{Span}-011")]
    [TestCase($"00-{Trace}-{Span}-01-")]
    [TestCase($"cc-{Trace}-{Span}-01x")]
    [TestCase($"ff-{Trace}-{Span}-01")]
    [TestCase($"0G-{Trace}-{Span}-01")]
    [TestCase($"00-{Trace}-{Span}-0G")]
    [TestCase($"00_{Trace}-{Span}-01")]
    [TestCase($"00-{Trace}_{Span}-01")]
    [TestCase($"00-{Trace}-{Span}_01")]
    [TestCase($"00-00000000000000000000000000000000-{Span}-01")]
    [TestCase($"00-{Trace}-0000000000000000-01")]
    [TestCase($"00-0AF7651916CD43DD8448EB211C80319C-{Span}-01")]
    public void A_malformed_parent_counts_as_none(string value) =>
        Assert.That(TraceContext.TryRead(Fields(("traceparent", value), ("tracestate", "a=1")), out _), Is.False);

    [Test]
    public void Two_parents_count_as_none() =>
        Assert.That(TraceContext.TryRead(Fields(("traceparent", $"00-{Trace}-{Span}-01"), ("traceparent", $"00-{Trace}-{Span}-01")), out _), Is.False);

    [TestCase(new[] { "a=1", "", "b=2" }, "a=1,b=2")]
    [TestCase(new[] { "a=\xE9" }, null)]
    [TestCase(new[] { "" }, null)]
    public void States_are_one_list(string[] values, string? state)
    {
        TraceContext.TryRead(
            Fields([("traceparent", $"00-{Trace}-{Span}-01"), .. values.Select(value => ("tracestate", value))]), out ActivityContext parent);
        Assert.That(parent.TraceState, Is.EqualTo(state));
    }

    [TestCase(512, true)]
    [TestCase(513, false)]
    public void A_long_state_is_dropped_and_the_parent_kept(int length, bool isKept)
    {
        string state = "a=" + new string('x', length - 2);
        bool isRead = TraceContext.TryRead(Fields(("traceparent", $"00-{Trace}-{Span}-01"), ("tracestate", state)), out ActivityContext parent);
        Assert.That((isRead, parent.TraceState), Is.EqualTo((true, isKept ? state : null)));
    }

    private static HeaderList Fields(params (string Name, string Value)[] fields)
    {
        HeaderList list = new();
        List<byte> bytes = [];
        foreach ((string name, string value) in fields)
        {
            list.Add(bytes.Count, name.Length, bytes.Count + name.Length, value.Length);
            bytes.AddRange(System.Text.Encoding.Latin1.GetBytes(name + value));
        }

        list.Use([.. bytes]);
        return list;
    }
}
