using System.Buffers;
using Iris.Net.Http;

namespace Iris.Net.Tests.Http;

/// <summary>The same bytes whole, in two segments, in two arrivals, and byte by byte: the trace must be the same.</summary>
internal static class EveryWay
{
    // Inputs that are longer are cut near their ends, and at each position of a step between.
    private const int ShortLength = 1000;
    private const int Ends = 20;
    private const int Step = 1009;
    private const int MostSegments = 64;

    public static string Trace(byte[] bytes, RequestHeadLimits? limits = null, ChunkedLimits? chunked = null)
    {
        var whole = new RequestTrace(limits, chunked);
        whole.Take(new ReadOnlySequence<byte>(bytes), atEnd: true);
        string expected = whole.ToString();
        int[] cuts = [.. Enumerable.Range(1, bytes.Length).Where(at => IsCut(at, bytes.Length))];
        foreach (int at in cuts.SkipLast(1))
        {
            var segments = new RequestTrace(limits, chunked);
            segments.Take(Bytes.Cut(bytes, at), atEnd: true);
            Assert.That(segments.ToString(), Is.EqualTo(expected), $"two segments, cut at {at}");
            foreach (bool patient in new[] { false, true })
                Assert.That(InArrivals(new(limits, chunked) { Patient = patient }, bytes, [at, bytes.Length]),
                    Is.EqualTo(expected), $"two arrivals, cut at {at}, patient {patient}");
        }
        foreach (bool patient in new[] { false, true })
            Assert.That(InArrivals(new(limits, chunked) { Patient = patient }, bytes, cuts),
                Is.EqualTo(expected), $"byte by byte, patient {patient}");
        return expected;
    }

    private static bool IsCut(int at, int length) =>
        length <= ShortLength || at <= Ends || at >= length - Ends || at % Step == 0;

    // Each arrival is a segment of its own; what was not consumed comes again.
    public static string InArrivals(RequestTrace trace, byte[] bytes, int[] ends)
    {
        int start = 0;
        int first = 0;
        for (int i = 0; i < ends.Length; i++)
        {
            while (ends[first] <= start)
                first++;
            int from = Math.Max(first, i - MostSegments);
            int[] inner = ends[from..i];
            for (int at = 0; at < inner.Length; at++)
                inner[at] -= start;
            ReadOnlySequence<byte> arrived = Bytes.Cut(bytes.AsMemory(start, ends[i] - start), inner);
            start += (int)trace.Take(arrived, atEnd: i == ends.Length - 1);
        }
        return trace.ToString();
    }
}
