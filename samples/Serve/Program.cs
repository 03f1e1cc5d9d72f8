using Iris.Serve;

switch (CommandLine.Parse(args))
{
    case Command.Print print:
        Console.WriteLine(print.Text);
        return 0;
    case Command.Serve serve:
        return await Serving.RunAsync(serve.Settings);
    case Command.Verify verify:
        return Journals.Verify(verify);
    case Command.Export export:
        return await Journals.ExportAsync(export);
    case Command.Import import:
        return await Journals.ImportAsync(import);
    case Command.Refuse refuse:
        Console.Error.WriteLine($"iris: {refuse.Why} (iris --help)");
        return 2;
    default:
        throw new System.Diagnostics.UnreachableException();
}
