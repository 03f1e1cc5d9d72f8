using System.Reflection.Metadata;

namespace Iris.Net.Tests.Architecture;

/// <summary>The names of types, nested ones by their outermost type.</summary>
internal static class MetadataNames
{
    public static string TopLevelName(this MetadataReader reader, EntityHandle handle) => handle.Kind == HandleKind.TypeReference
        ? TopLevelName(reader, (TypeReferenceHandle)handle)
        : TopLevelName(reader, (TypeDefinitionHandle)handle);

    public static string TopLevelName(this MetadataReader reader, TypeDefinitionHandle handle)
    {
        TypeDefinition type = reader.GetTypeDefinition(handle);
        while (!type.GetDeclaringType().IsNil)
            type = reader.GetTypeDefinition(type.GetDeclaringType());
        return Join(reader.GetString(type.Namespace), reader.GetString(type.Name));
    }

    private static string TopLevelName(MetadataReader reader, TypeReferenceHandle handle)
    {
        TypeReference type = reader.GetTypeReference(handle);
        while (type.ResolutionScope.Kind == HandleKind.TypeReference)
            type = reader.GetTypeReference((TypeReferenceHandle)type.ResolutionScope);
        return Join(reader.GetString(type.Namespace), reader.GetString(type.Name));
    }

    private static string Join(string space, string name) => space.Length == 0 ? name : $"{space}.{name}";
}
