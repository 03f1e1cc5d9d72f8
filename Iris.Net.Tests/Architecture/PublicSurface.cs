using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Iris.Net.Tests.Architecture;

/// <summary>Writes what an assembly shows to its users: a line for each type, an indented line for each member, sorted.
/// What the compiler adds to every record is left out.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext Nullability = new();

    public static string Write(Assembly assembly)
    {
        StringBuilder text = new();
        foreach (Type type in assembly.GetExportedTypes().OrderBy(TypeNames.Full, StringComparer.Ordinal))
        {
            text.Append(Heading(type)).Append('\n');
            foreach (string member in Members(type).Order(StringComparer.Ordinal))
                text.Append("  ").Append(member).Append('\n');
        }

        return text.ToString();
    }

    private static string Heading(Type type)
    {
        IEnumerable<string> bases = type.GetInterfaces()
            .Except(type.BaseType?.GetInterfaces() ?? [])
            .Where(face => face.IsVisible && !(IsRecord(type) && face.Name == "IEquatable`1"))
            .Select(face => TypeNames.Of(face)).Order(StringComparer.Ordinal);
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType)
            && parent != typeof(Enum) && parent != typeof(MulticastDelegate))
            bases = bases.Prepend(TypeNames.Of(parent));
        if (type.IsEnum && Enum.GetUnderlyingType(type) != typeof(int))
            bases = [TypeNames.Of(Enum.GetUnderlyingType(type))];
        string list = string.Join(", ", bases);
        return $"{Kind(type)} {TypeNames.Full(type)}{(list.Length == 0 || IsDelegate(type) ? "" : " : " + list)}";
    }

    private static string Kind(Type type) => type switch
    {
        { IsEnum: true } => "enum",
        { IsInterface: true } => "interface",
        _ when IsDelegate(type) => "delegate",
        { IsValueType: true } => (type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "")
            + (type.IsByRefLike ? "ref " : "") + (IsRecord(type) ? "record struct" : "struct"),
        { IsAbstract: true, IsSealed: true } => "static class",
        _ => (type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "") + (IsRecord(type) ? "record" : "class"),
    };

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Select(name =>
                $"{name} = {Convert.ToString(Convert.ChangeType(Enum.Parse(type, name), Enum.GetUnderlyingType(type), CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)}");
        }

        if (IsDelegate(type))
            return [Signature("", type.GetMethod("Invoke")!)];
        return type.GetMembers(Declared).Where(member => !IsGenerated(type, member)).Select(Describe).OfType<string>();
    }

    private static string? Describe(MemberInfo member) => member switch
    {
        ConstructorInfo made when IsShown(made) => $"{Access(made)}new({Parameters(made)})",
        MethodInfo method when IsShown(method) && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)) =>
            Signature(Access(method) + Modifiers(method), method),
        PropertyInfo property when IsShown(property.GetMethod) || IsShown(property.SetMethod) => Describe(property),
        FieldInfo { IsPrivate: false, IsAssembly: false, IsFamilyAndAssembly: false } field =>
            (field.IsPublic ? "" : "protected ")
            + (field.IsLiteral ? "const " : field.IsStatic ? "static " : "") + (field.IsInitOnly ? "readonly " : "")
            + $"{TypeNames.Of(field.FieldType, Nullability.Create(field))} {field.Name}"
            + (field.IsLiteral ? " = " + Literal(field.GetRawConstantValue()) : ""),
        EventInfo happening when IsShown(happening.AddMethod) =>
            $"event {TypeNames.Of(happening.EventHandlerType!, Nullability.Create(happening))} {happening.Name}",
        _ => null,
    };

    private static string Describe(PropertyInfo property)
    {
        MethodInfo accessor = IsShown(property.GetMethod) ? property.GetMethod! : property.SetMethod!;
        string getter = IsShown(property.GetMethod) ? Access(property.GetMethod!) + "get; " : "";
        string setter = !IsShown(property.SetMethod) ? ""
            : Access(property.SetMethod!)
              + (property.SetMethod!.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? "init; " : "set; ");
        ParameterInfo[] index = property.GetIndexParameters();
        string name = index.Length == 0 ? property.Name : $"this[{string.Join(", ", index.Select(Parameter))}]";
        string required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        return $"{Modifiers(accessor)}{required}{TypeNames.Of(property.PropertyType, Nullability.Create(property))} {name} {{ {getter}{setter}}}";
    }

    private static string Signature(string modifiers, MethodInfo method)
    {
        string generic = method.IsGenericMethodDefinition
            ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>" : "";
        string result = TypeNames.Of(method.ReturnType, Nullability.Create(method.ReturnParameter));
        return $"{modifiers}{result} {(modifiers.Length == 0 && method.Name == "Invoke" ? "" : method.Name)}{generic}({Parameters(method)})";
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        string way = !parameter.ParameterType.IsByRef ? "" : parameter.IsOut ? "out " : parameter.IsIn ? "in " : "ref ";
        string many = parameter.IsDefined(typeof(ParamArrayAttribute)) ? "params " : "";
        string type = TypeNames.Of(parameter.ParameterType, Nullability.Create(parameter));
        string otherwise = !parameter.HasDefaultValue ? ""
            : " = " + (parameter.RawDefaultValue is null && parameter.ParameterType.IsValueType ? "default" : Literal(parameter.RawDefaultValue));
        return $"{way}{many}{type} {parameter.Name}{otherwise}";
    }

    private static string Literal(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        bool truth => truth ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Modifiers(MethodBase method) =>
        method.DeclaringType!.IsInterface ? (method.IsStatic ? "static " : "")
        : method.IsStatic ? "static "
        : method.IsAbstract ? "abstract "
        : !method.IsVirtual || method.IsFinal ? ""
        : ((MethodInfo)method).GetBaseDefinition() != method ? "override " : "virtual ";

    private static bool IsShown(MethodBase? method) => method is { IsPublic: true } or { IsFamily: true } or { IsFamilyOrAssembly: true };

    private static bool IsDelegate(Type type) => typeof(MulticastDelegate).IsAssignableFrom(type);

    private static bool IsRecord(Type type) => type.GetMethod("PrintMembers", Declared) is { } print
        && print.IsDefined(typeof(CompilerGeneratedAttribute));

    private static bool IsGenerated(Type type, MemberInfo member) =>
        (member.IsDefined(typeof(CompilerGeneratedAttribute)) && member is MethodInfo { IsSpecialName: false } or FieldInfo { Name: ['<', ..] })
        || (IsRecord(type) && (member.Name is "EqualityContract" or "op_Equality" or "op_Inequality"
            || (member is ConstructorInfo made && made.GetParameters() is [{ } only] && only.ParameterType == type)));
}
