using System.Text;

namespace Iris.Net.Http;

/// <summary><c>Expect = #expectation</c>, RFC 9110 section 10.1.1.</summary>
internal static class Expectation
{
    /// <summary>Judges Expect.</summary>
    /// <param name="head">The request.</param>
    /// <param name="awaitsContinue">Whether the client waits for 100 before it sends the body. HTTP/1.0 never does.</param>
    public static RejectionReason TryDetermine(RequestHead head, out bool awaitsContinue)
    {
        awaitsContinue = false;
        foreach (ReadOnlySpan<byte> value in head.Headers.ValuesOf("expect"u8))
            foreach (ReadOnlySpan<byte> expectation in new ListElements(value))
            {
                if (expectation.IsEmpty)
                    continue;
                if (!Ascii.EqualsIgnoreCase(expectation, "100-continue"u8))
                    return RejectionReason.UnknownExpectation;
                awaitsContinue = head.Version == ProtocolVersion.Http11;
            }
        return RejectionReason.None;
    }
}
