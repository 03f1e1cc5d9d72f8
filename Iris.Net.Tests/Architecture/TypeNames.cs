using System.Reflection;

namespace Iris.Net.Tests.Architecture;

/// <summary>The names of types as C# writes them, with what is known of their nullability.</summary>
internal static class TypeNames
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(sbyte)] = "sbyte",
        [typeof(char)] = "char",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(decimal)] = "decimal",
        [typeof(string)] = "string",
        [typeof(object)] = "object",
    };

    /// <summary>A type that is being declared: with namespace and the names of its parameters.</summary>
    public static string Full(Type type)
    {
        string outer = type.DeclaringType is { } declaring ? Full(declaring) + "." : type.Namespace + ".";
        IEnumerable<Type> own = type.GetGenericArguments().Skip(type.DeclaringType?.GetGenericArguments().Length ?? 0);
        return outer + Bare(type) + List(own.Select(argument => argument.Name));
    }

    /// <summary>A type that is being used: without namespace.</summary>
    public static string Of(Type type, NullabilityInfo? known = null)
    {
        if (type.IsByRef)
            return Of(type.GetElementType()!, known);
        if (Nullable.GetUnderlyingType(type) is { } value)
            return Of(value, known?.GenericTypeArguments.FirstOrDefault()) + "?";
        // Of a type parameter only the constraint tells, which the list does not repeat.
        string mark = known is { ReadState: NullabilityState.Nullable } && type is { IsValueType: false, IsGenericParameter: false } ? "?" : "";
        if (type.IsArray)
            return $"{Of(type.GetElementType()!, known?.ElementType)}[{new string(',', type.GetArrayRank() - 1)}]{mark}";
        if (type.IsPointer)
            return Of(type.GetElementType()!) + "*";
        if (Keywords.TryGetValue(type, out string? keyword))
            return keyword + mark;
        string outer = type is { IsNested: true, IsGenericParameter: false } ? Bare(type.DeclaringType!) + "." : "";
        return outer + Bare(type) + List(type.GetGenericArguments().Select((argument, at) =>
            Of(argument, known is not null && at < known.GenericTypeArguments.Length ? known.GenericTypeArguments[at] : null))) + mark;
    }

    private static string Bare(Type type) => type.Name.Split('`')[0];

    private static string List(IEnumerable<string> arguments)
    {
        string list = string.Join(", ", arguments);
        return list.Length == 0 ? "" : $"<{list}>";
    }
}
