using System.Diagnostics;
using Iris.Net.Tests.Architecture;

namespace Iris.Net.Tests.Http;

/// <summary>Bytes worth keeping: each file of <c>Corpus</c> is what one connection sends.</summary>
public class CorpusTests
{
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(50);

    private static IEnumerable<TestCaseData> Kept() =>
        Directory.GetFiles(Path.Combine(Repository.Root, "Iris.Net.Tests", "Http", "Corpus"), "*.http").Order(StringComparer.Ordinal)
            .Select(file => new TestCaseData(file).SetArgDisplayNames(Path.GetFileNameWithoutExtension(file)));

    [TestCaseSource(nameof(Kept))]
    public void It_is_served_or_refused_the_same_in_every_way_and_fast(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        EveryWay.Trace(bytes);
        TimeSpan best = TimeSpan.MaxValue;
        for (int run = 0; run < 3; run++)
        {
            long start = Stopwatch.GetTimestamp();
            EveryWay.InArrivals(new RequestTrace(), bytes, [bytes.Length]);
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            best = took < best ? took : best;
        }

        Assert.That(best, Is.LessThan(Slow));
    }
}
