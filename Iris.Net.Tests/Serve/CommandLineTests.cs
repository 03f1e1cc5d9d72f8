using Iris.Serve;

namespace Iris.Net.Tests.Serve;

internal sealed class CommandLineTests
{
    [TestCase("", null, "127.0.0.1", 8787)]
    [TestCase("serve", null, "127.0.0.1", 8787)]
    [TestCase("--port 0", null, "127.0.0.1", 0)]
    [TestCase("serve ./desk --port 65535 --host ::1", "./desk", "::1", 65535)]
    [TestCase("serve --host localhost ./desk", "./desk", "localhost", 8787)]
    public void Takes(string arguments, string? image, string host, int port) =>
        Assert.That(Parse(arguments), Is.EqualTo(
            new Command.Serve(new ServeSettings { Image = image, Host = host, Port = port })));

    [Test]
    public void Takes_a_certificate_and_a_Unix_socket() => Assert.That(
        Parse("serve --tls-certificate c.pem --tls-key k.pem --unix-socket /tmp/s"),
        Is.EqualTo(new Command.Serve(new ServeSettings { TlsCertificate = "c.pem", TlsKey = "k.pem", UnixSocket = "/tmp/s" })));

    [TestCase("serve --data d --key-file k", "d", "k")]
    [TestCase("--key-file k --memory", null, "k")]
    [TestCase("serve", "./iris-data", null)]
    public void Takes_where_sessions_are_kept(string arguments, string? data, string? key) =>
        Assert.That(Parse(arguments), Is.EqualTo(new Command.Serve(new ServeSettings { Data = data, KeyFile = key })));

    [Test]
    public void Takes_who_may_come_in()
    {
        ServeSettings settings = ((Command.Serve)Parse("--bearer-file b --allow-origin https://a.example --allow-origin http://b:1 --allow-host c")).Settings;
        Assert.That(settings.BearerFile, Is.EqualTo("b"));
        Assert.That(settings.AllowedOrigins, Is.EqualTo((string[])["https://a.example", "http://b:1"]));
        Assert.That(settings.AllowedHosts, Is.EqualTo((string[])["c"]));
    }

    [Test]
    public void Takes_what_is_done_to_journals()
    {
        Assert.That(Parse("verify d"), Is.EqualTo(new Command.Verify("d", null, Cut: false)));
        Assert.That(Parse("verify d s --cut"), Is.EqualTo(new Command.Verify("d", "s", Cut: true)));
        Assert.That(Parse("verify --cut d"), Is.EqualTo(new Command.Verify("d", null, Cut: true)));
        Assert.That(Parse("export d s"), Is.EqualTo(new Command.Export("d", "s")));
        Assert.That(Parse("import d f"), Is.EqualTo(new Command.Import("d", "f", null)));
        Assert.That(Parse("import d f --key-file k"), Is.EqualTo(new Command.Import("d", "f", "k")));
    }

    [TestCase("verify", "verify takes DIR [SESSION] [--cut]")]
    [TestCase("verify --cat d", "verify takes DIR [SESSION] [--cut]")]
    [TestCase("verify d s t", "verify takes DIR [SESSION] [--cut]")]
    [TestCase("export d", "export takes DIR SESSION")]
    [TestCase("import d", "import takes DIR FILE [--key-file FILE]")]
    [TestCase("import d f --key-file", "import takes DIR FILE [--key-file FILE]")]
    [TestCase("serve --data d --memory", "--data and --memory exclude each other")]
    [TestCase("start", "unknown command 'start'")]
    [TestCase("serve --prot 1", "unknown option '--prot'")]
    [TestCase("serve --data", "--data needs a directory")]
    [TestCase("serve -p 1", "unknown option '-p'")]
    [TestCase("serve --port", "--port needs a number from 0 to 65535")]
    [TestCase("serve --port eighty", "--port needs a number from 0 to 65535, not 'eighty'")]
    [TestCase("serve --port -1", "--port needs a number from 0 to 65535, not '-1'")]
    [TestCase("serve --port +1", "--port needs a number from 0 to 65535, not '+1'")]
    [TestCase("serve --port 1 --port 2", "--port is given twice")]
    [TestCase("serve --memory --memory", "--memory is given twice")]
    [TestCase("serve --host a.example", "--host needs an IP address or localhost, not 'a.example'")]
    [TestCase("serve --tls-certificate", "--tls-certificate needs a file")]
    [TestCase("serve --tls-certificate c.pem", "--tls-certificate and --tls-key need each other")]
    [TestCase("serve --tls-key k.pem", "--tls-certificate and --tls-key need each other")]
    [TestCase("serve --bearer-file", "--bearer-file needs a file")]
    [TestCase("serve --bearer-file a --bearer-file b", "--bearer-file is given twice")]
    [TestCase("serve --allow-origin a.example", "--allow-origin needs an origin such as https://app.example, not 'a.example'")]
    [TestCase("serve --allow-origin https://a.example/", "--allow-origin needs an origin such as https://app.example, not 'https://a.example/'")]
    [TestCase("serve --allow-host", "--allow-host needs a name")]
    [TestCase("serve a b", "one image at a time: 'b' is one too many")]
    public void Refuses(string arguments, string why) => Assert.That(Parse(arguments), Is.EqualTo(new Command.Refuse(why)));

    [Test]
    public void Refuses_an_empty_image() =>
        Assert.That(CommandLine.Parse(["serve", ""]), Is.EqualTo(new Command.Refuse("the image's folder is empty")));

    private static Command Parse(string arguments) =>
        CommandLine.Parse(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
