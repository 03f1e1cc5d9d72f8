using System.Buffers;
using System.Text;
using Iris.Net.WebSockets;

namespace Iris.Net.Tests.WebSockets;

/// <summary>Offers of permessage-deflate (RFC 7692 section 7.1) and the grammar they stand in (RFC 6455 section 9.1).</summary>
[TestFixture]
internal sealed class DeflateOfferTests
{
    private const string Plain = "permessage-deflate";

    private static readonly string[][] Answers =
    [
        // What the client offers, and the answer; empty where no offer can be accepted.
        [Plain, Plain],
        ["Permessage-DEFLATE", Plain],
        ["permessage-deflate; server_no_context_takeover", Plain + "; server_no_context_takeover"],
        ["permessage-deflate;client_no_context_takeover", Plain + "; client_no_context_takeover"],
        ["permessage-deflate ; Client_No_Context_Takeover ;\tserver_no_context_takeover",
            Plain + "; server_no_context_takeover; client_no_context_takeover"],
        ["permessage-deflate; server_max_window_bits=15", Plain + "; server_max_window_bits=15"],
        ["permessage-deflate; client_max_window_bits", Plain + "; client_max_window_bits=15"],
        ["permessage-deflate; client_max_window_bits=8", Plain + "; client_max_window_bits=8"],
        ["permessage-deflate; client_max_window_bits = 12", Plain + "; client_max_window_bits=12"],
        ["permessage-deflate; client_max_window_bits=\"10\"", Plain + "; client_max_window_bits=10"],
        ["permessage-deflate; client_max_window_bits=\"1\\0\"", Plain + "; client_max_window_bits=10"],
        ["permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15; client_max_window_bits",
            Plain + "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15; client_max_window_bits=15"],

        // An offer that cannot be accepted gives way to the next.
        ["permessage-deflate; server_max_window_bits=10, permessage-deflate", Plain],
        ["permessage-deflate; server_max_window_bits=10; client_no_context_takeover, permessage-deflate; client_max_window_bits",
            Plain + "; client_max_window_bits=15"],
        ["permessage-deflate; unknown, permessage-deflate; server_no_context_takeover", Plain + "; server_no_context_takeover"],
        ["permessage-bzip2; x=1, permessage-deflate", Plain],
        ["x-webkit-deflate-frame, permessage-deflate, permessage-deflate; client_no_context_takeover", Plain],
        [",, permessage-deflate,", Plain],

        // No offer that can be accepted.
        ["permessage-bzip2", ""],
        ["permessage-deflates", ""],
        ["x; permessage-deflate", ""],
        ["permessage-deflate; unknown", ""],
        ["permessage-deflate; unknown=1", ""],
        ["permessage-deflate; server_no_context_takeover; server_no_context_takeover", ""],
        ["permessage-deflate; client_no_context_takeover; client_no_context_takeover", ""],
        ["permessage-deflate; client_max_window_bits; client_max_window_bits", ""],
        ["permessage-deflate; client_max_window_bits=10; client_max_window_bits=10", ""],
        ["permessage-deflate; server_max_window_bits=15; server_max_window_bits=15", ""],
        ["permessage-deflate; server_no_context_takeover=1", ""],
        ["permessage-deflate; client_no_context_takeover=true", ""],
        ["permessage-deflate; server_max_window_bits", ""],
        ["permessage-deflate; server_max_window_bits=14", ""],
        ["permessage-deflate; server_max_window_bits=8", ""],
        ["permessage-deflate; server_max_window_bits=16", ""],
        ["permessage-deflate; server_max_window_bits=015", ""],
        ["permessage-deflate; client_max_window_bits=7", ""],
        ["permessage-deflate; client_max_window_bits=16", ""],
        ["permessage-deflate; client_max_window_bits=0", ""],
        ["permessage-deflate; client_max_window_bits=09", ""],
        ["permessage-deflate; client_max_window_bits=1x", ""],
        ["permessage-deflate; client_max_window_bits=-9", ""],
        ["permessage-deflate; client_max_window_bits=4294967306", ""],
    ];

    private static readonly string[] Malformed =
    [
        "", " ", ",", ";", "permessage-deflate;", "permessage-deflate;,x", "permessage-deflate;;client_max_window_bits", "a b", "a/b",
        "a=b", "a;b=", "a;b=\"", "a;b=\"c", "a;b=\"\"", "a;b=\"c d\"", "a;b=\"c\"d", "a;b=\"c\\\"", "a;b=\"\\\"\"", "a;b=\"c\\\\\"", "a;b=c=d",
        "a;b==c", "a;=c", "a;b c", "a;b=c d", "\u00E9", "a;b=\u00E9", "a;b,;c",
    ];

    private static readonly string[] WellFormed =
    [
        "a", "a,b", " a , b ", ",a,,b,", "a;b", "a;b=c", "a;b=\"c\"", "a;b=\"\\c\\d\"", "a ; b = c ; d , e;f", "a;b;b;b=1", "!#$%&'*+-.^_`|~;x=~",
    ];

    [TestCaseSource(nameof(Answers))]
    public void An_offer_is_answered(string offer, string answer)
    {
        Assert.That(ExtensionReader.IsValid(Encoding.Latin1.GetBytes(offer)), Is.True);
        var output = new ArrayBufferWriter<byte>();
        if (DeflateOffer.TryChoose(Encoding.Latin1.GetBytes(offer), out var chosen))
            chosen.Write(output);
        Assert.That(Encoding.ASCII.GetString(output.WrittenSpan), Is.EqualTo(answer));
    }

    [TestCaseSource(nameof(Malformed))]
    public void A_field_that_breaks_the_grammar_is_refused_and_offers_nothing_after_the_mistake(string field)
    {
        Assert.That(ExtensionReader.IsValid(Encoding.Latin1.GetBytes(field)), Is.False);
        Assert.That(DeflateOffer.TryChoose(Encoding.Latin1.GetBytes(field + ", permessage-deflate"), out _),
            Is.EqualTo(string.IsNullOrEmpty(field.Trim(' ', ','))));
    }

    [TestCaseSource(nameof(WellFormed))]
    public void A_field_that_keeps_to_the_grammar_is_taken(string field) =>
        Assert.That(ExtensionReader.IsValid(Encoding.Latin1.GetBytes(field)), Is.True);
}
