using Iris.Net.Endpoints;
using Iris.Net.Sessions;

namespace Iris.Net.Tests.Endpoints;

public sealed class RefusalTextTests
{
    [TestCase("UnknownSession", 404, "unknown-session", "unknown session")]
    [TestCase("MissingToken", 400, "missing-token", "missing continuationToken")]
    [TestCase("StaleToken", 409, "stale-token", "stale or invalid continuationToken")]
    [TestCase("InFlight", 409, "in-flight", "a turn is already in flight for this session")]
    [TestCase("MalformedJson", 400, "malformed-json", "malformed JSON body")]
    [TestCase("MalformedPath", 400, "malformed-path", "malformed session id")]
    [TestCase("NoRoute", 404, "no-route", "no route")]
    [TestCase("MethodNotAllowed", 405, "method-not-allowed", "method not allowed")]
    [TestCase("TurnFailed", 500, "turn-failed", "internal error: turn failed")]
    [TestCase("OriginDenied", 403, "origin-denied", "origin denied")]
    [TestCase("HostDenied", 421, "host-denied", "host denied")]
    [TestCase("Unauthorized", 401, "unauthorized", "unauthorized")]
    [TestCase("BodyTooLarge", 413, "body-too-large", "body too large")]
    [TestCase("HeaderTooLarge", 431, "header-too-large", "header too large")]
    [TestCase("Timeout", 408, "timeout", "timeout")]
    [TestCase("Overloaded", 503, "overloaded", "overloaded")]
    [TestCase("Contended", 409, "contended", "contended")]
    [TestCase("Draining", 503, "draining", "draining")]
    [TestCase("UnsupportedMediaType", 415, "unsupported-media-type", "unsupported media type")]
    [TestCase("UpgradeRequired", 426, "upgrade-required", "upgrade required")]
    [TestCase("StoreUnavailable", 503, "store-unavailable", "store unavailable")]
    [TestCase("BadRequest", 400, "bad-request", "bad request")]
    public void EveryCodeHasItsStatusAndText(string name, int status, string code, string error)
    {
        RefusalCode refusal = Enum.Parse<RefusalCode>(name);
        Assert.That(
            (RefusalText.StatusOf(refusal), RefusalText.CodeOf(refusal), RefusalText.ErrorOf(refusal)),
            Is.EqualTo((status, code, error)));
    }

    [Test]
    public void NoCodeIsLeftOut()
    {
        foreach (RefusalCode code in Enum.GetValues<RefusalCode>())
            Assert.That(RefusalText.StatusOf(code), Is.InRange(400, 599), code.ToString());
    }

    [Test]
    public void ExactlyWhatMayHelpLaterIsTransient()
    {
        RefusalCode[] transient = [RefusalCode.InFlight, RefusalCode.Contended, RefusalCode.Overloaded, RefusalCode.StoreUnavailable];
        Assert.That(Enum.GetValues<RefusalCode>().Where(RefusalText.IsTransient), Is.EquivalentTo(transient));
    }

    [Test]
    public void EveryRefusalOfTheSessionsHasTheCodeOfItsName()
    {
        foreach (Refusal refusal in Enum.GetValues<Refusal>().Where(r => r != Refusal.None))
            Assert.That(RefusalText.CodeOf(refusal).ToString(), Is.EqualTo(refusal.ToString()));
    }

    [TestCase(400, "BadRequest")]
    [TestCase(408, "Timeout")]
    [TestCase(413, "BodyTooLarge")]
    [TestCase(414, "HeaderTooLarge")]
    [TestCase(417, "BadRequest")]
    [TestCase(431, "HeaderTooLarge")]
    [TestCase(421, "HostDenied")]
    [TestCase(426, "UpgradeRequired")]
    [TestCase(404, "NoRoute")]
    [TestCase(500, "TurnFailed")]
    [TestCase(501, "BadRequest")]
    [TestCase(503, "Overloaded")]
    [TestCase(505, "BadRequest")]
    public void EveryStatusOfTheServerHasACode(int status, string code) =>
        Assert.That(RefusalText.CodeOf(status).ToString(), Is.EqualTo(code));
}
