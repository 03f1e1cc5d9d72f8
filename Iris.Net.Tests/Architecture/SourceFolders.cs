using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Iris.Net.Tests.Architecture;

/// <summary>In which folder of a project each type was written, from the symbols beside the assembly. Folders are
/// relative to the project, <c>""</c> being the project's own; generated files count for nothing.</summary>
internal static class SourceFolders
{
    // Portable PDB, custom debug information "Type Definition Document": the files of a type without code.
    private static readonly Guid TypeDefinitionDocuments = new("932E74BC-DBA9-4478-8D46-0F32A7BAB3D3");

    public static Dictionary<string, SortedSet<string>> Read(string assembly, string project)
    {
        using FileStream stream = File.OpenRead(assembly);
        using PEReader file = new(stream);
        using FileStream symbolStream = File.OpenRead(Path.ChangeExtension(assembly, ".pdb"));
        using MetadataReaderProvider provider = MetadataReaderProvider.FromPortablePdbStream(symbolStream);
        MetadataReader metadata = file.GetMetadataReader();
        MetadataReader symbols = provider.GetMetadataReader();
        Dictionary<string, SortedSet<string>> folders = [];
        foreach (TypeDefinitionHandle type in metadata.TypeDefinitions)
        {
            string name = metadata.TopLevelName(type);
            if (!folders.TryGetValue(name, out SortedSet<string>? of))
                folders.Add(name, of = []);
            of.UnionWith(DocumentsOf(metadata, symbols, type)
                .Where(document => !document.IsNil)
                .Select(document => FolderOf(symbols.GetString(symbols.GetDocument(document).Name), project))
                .OfType<string>());
        }

        return folders;
    }

    private static IEnumerable<DocumentHandle> DocumentsOf(
        MetadataReader metadata, MetadataReader symbols, TypeDefinitionHandle type)
    {
        foreach (MethodDefinitionHandle method in metadata.GetTypeDefinition(type).GetMethods())
            yield return symbols.GetMethodDebugInformation(method).Document;
        foreach (CustomDebugInformationHandle at in symbols.GetCustomDebugInformation(type))
        {
            CustomDebugInformation information = symbols.GetCustomDebugInformation(at);
            if (symbols.GetGuid(information.Kind) != TypeDefinitionDocuments)
                continue;
            BlobReader rows = symbols.GetBlobReader(information.Value);
            while (rows.RemainingBytes > 0)
                yield return System.Reflection.Metadata.Ecma335.MetadataTokens.DocumentHandle(rows.ReadCompressedInteger());
        }
    }

    private static string? FolderOf(string file, string project)
    {
        string path = file.Replace('\\', '/');
        int start = path.LastIndexOf($"/{project}/", StringComparison.Ordinal);
        if (start < 0 || path.Contains("/obj/", StringComparison.Ordinal))
            return null;
        string inside = path[(start + project.Length + 2)..];
        int end = inside.LastIndexOf('/');
        return end < 0 ? "" : inside[..end];
    }
}
