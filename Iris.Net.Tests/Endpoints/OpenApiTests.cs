using System.Text.Json;
using Iris.Net.Endpoints;
using Iris.Net.Server;

namespace Iris.Net.Tests.Endpoints;

/// <summary>The description names what there is, and nothing else.</summary>
public sealed class OpenApiTests
{
    private static readonly JsonElement Document = Read();

    [Test]
    public async Task Every_route_and_no_other_is_described()
    {
        await using Sessions.SessionTester host = new();
        ChannelWire wire = new(host.Sessions, IsSeedExact: false, ExposeErrors: false, MaxJsonDepth: 64);
        HostNames hosts = new(System.Net.IPAddress.Loopback, []);
        Access access = new(wire, hosts, new CrossOrigin(hosts, new AllowedOrigins([])), null, (_, _) => { });
        Router router = new();
        new SessionRoutes(wire, access, new Discovery(wire, true, [], []), true, (_, _) => default).MapTo(router, new WebSocketOptions());
        IEnumerable<string> described = Document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}"));
        Assert.That(described, Is.EquivalentTo(router.Routes.Select(route => $"{route.Method} {route.Template}")));
    }

    [Test]
    public void Every_code_and_no_other_is_described() => Assert.That(
        Document.GetProperty("components").GetProperty("schemas").GetProperty("Code").GetProperty("enum").EnumerateArray().Select(c => c.GetString()),
        Is.EqualTo(Enum.GetValues<RefusalCode>().Select(RefusalText.CodeOf)));

    [Test]
    public void Every_reference_leads_somewhere()
    {
        foreach (string reference in References(Document))
        {
            Assert.That(reference, Does.StartWith("#/"));
            JsonElement at = Document;
            foreach (string name in reference[2..].Split('/'))
                Assert.That(at.TryGetProperty(name, out at), reference);
        }
    }

    private static IEnumerable<string> References(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(
            member => member.Name == "$ref" ? [member.Value.GetString()!] : References(member.Value)),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(References),
        _ => [],
    };

    private static JsonElement Read()
    {
        using Stream stream = typeof(RestChannel).Assembly.GetManifestResourceStream("Iris.Net.openapi.json")!;
        using JsonDocument document = JsonDocument.Parse(stream);
        return document.RootElement.Clone();
    }
}
