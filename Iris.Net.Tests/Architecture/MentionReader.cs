using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Iris.Net.Tests.Architecture;

/// <summary>Reads every mention of a type out of an assembly: bases, constraints, attributes, signatures, locals, catches
/// and the operands of the code itself, those of compiler-generated types included.</summary>
internal sealed class MentionReader : ISignatureTypeProvider<MentionReader, object?>
{
    private readonly PEReader _file;
    private readonly MetadataReader _metadata;
    private readonly HashSet<Mention> _found = [];
    private string _from = "";
    private string _where = "";

    private MentionReader(PEReader file) => (_file, _metadata) = (file, file.GetMetadataReader());

    public static IReadOnlyCollection<Mention> Read(string assembly)
    {
        using FileStream stream = File.OpenRead(assembly);
        using PEReader file = new(stream);
        MentionReader reader = new(file);
        foreach (TypeDefinitionHandle type in reader._metadata.TypeDefinitions)
            reader.ReadType(type);
        return reader._found;
    }

    private void ReadType(TypeDefinitionHandle handle)
    {
        TypeDefinition type = _metadata.GetTypeDefinition(handle);
        string name = _metadata.GetString(type.Name);
        (_from, _where) = (_metadata.TopLevelName(handle), name);
        Add(type.BaseType);
        foreach (InterfaceImplementationHandle at in type.GetInterfaceImplementations())
            Add(_metadata.GetInterfaceImplementation(at).Interface);
        Constraints(type.GetGenericParameters());
        Attributes(type.GetCustomAttributes());
        foreach (FieldDefinitionHandle at in type.GetFields())
        {
            FieldDefinition field = _metadata.GetFieldDefinition(at);
            _where = $"{name}.{_metadata.GetString(field.Name)}";
            field.DecodeSignature(this, null);
            Attributes(field.GetCustomAttributes());
        }

        foreach (PropertyDefinitionHandle at in type.GetProperties())
            Attributes(_metadata.GetPropertyDefinition(at).GetCustomAttributes());
        foreach (MethodDefinitionHandle at in type.GetMethods())
        {
            MethodDefinition method = _metadata.GetMethodDefinition(at);
            _where = $"{name}.{_metadata.GetString(method.Name)}";
            method.DecodeSignature(this, null);
            Constraints(method.GetGenericParameters());
            Attributes(method.GetCustomAttributes());
            foreach (ParameterHandle parameter in method.GetParameters())
                Attributes(_metadata.GetParameter(parameter).GetCustomAttributes());
            if (method.RelativeVirtualAddress != 0)
                ReadBody(_file.GetMethodBody(method.RelativeVirtualAddress));
        }
    }

    private void ReadBody(MethodBodyBlock body)
    {
        if (!body.LocalSignature.IsNil)
            _metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(this, null);
        foreach (ExceptionRegion region in body.ExceptionRegions)
            Add(region.CatchType);
        foreach (EntityHandle operand in CodeOperands.Read(body.GetILReader()))
            Add(operand);
    }

    private void Constraints(GenericParameterHandleCollection parameters)
    {
        foreach (GenericParameterHandle parameter in parameters)
        {
            foreach (GenericParameterConstraintHandle at in _metadata.GetGenericParameter(parameter).GetConstraints())
                Add(_metadata.GetGenericParameterConstraint(at).Type);
        }
    }

    private void Attributes(CustomAttributeHandleCollection attributes)
    {
        foreach (CustomAttributeHandle at in attributes)
            Add(_metadata.GetCustomAttribute(at).Constructor);
    }

    private void Add(EntityHandle handle)
    {
        if (handle.IsNil)
            return;
        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition:
            case HandleKind.TypeReference:
                Found(_metadata.TopLevelName(handle), null);
                break;
            case HandleKind.TypeSpecification:
                _metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, null);
                break;
            case HandleKind.MethodDefinition:
                MethodDefinition method = _metadata.GetMethodDefinition((MethodDefinitionHandle)handle);
                Found(_metadata.TopLevelName(method.GetDeclaringType()), _metadata.GetString(method.Name));
                method.DecodeSignature(this, null);
                break;
            case HandleKind.FieldDefinition:
                FieldDefinition field = _metadata.GetFieldDefinition((FieldDefinitionHandle)handle);
                Found(_metadata.TopLevelName(field.GetDeclaringType()), _metadata.GetString(field.Name));
                field.DecodeSignature(this, null);
                break;
            case HandleKind.MemberReference:
                Add(_metadata.GetMemberReference((MemberReferenceHandle)handle));
                break;
            case HandleKind.MethodSpecification:
                MethodSpecification generic = _metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
                Add(generic.Method);
                generic.DecodeSignature(this, null);
                break;
            case HandleKind.StandaloneSignature:
                _metadata.GetStandaloneSignature((StandaloneSignatureHandle)handle).DecodeMethodSignature(this, null);
                break;
            default:
                throw new BadImageFormatException($"{_from} ({_where}) has an operand of kind {handle.Kind}.");
        }
    }

    private void Add(MemberReference member)
    {
        Add(member.Parent);
        if (member.Parent.Kind is HandleKind.TypeReference or HandleKind.TypeDefinition)
            Found(_metadata.TopLevelName(member.Parent), _metadata.GetString(member.Name));
        if (member.GetKind() == MemberReferenceKind.Field)
            member.DecodeFieldSignature(this, null);
        else
            member.DecodeMethodSignature(this, null);
    }

    private MentionReader Found(string type, string? member)
    {
        if (type != _from)
            _found.Add(new Mention(_from, _where, type, member));
        return this;
    }

    public MentionReader GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) =>
        Found(reader.TopLevelName(handle), null);

    public MentionReader GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) =>
        Found(reader.TopLevelName(handle), null);

    public MentionReader GetTypeFromSpecification(
        MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

    public MentionReader GetModifiedType(MentionReader modifier, MentionReader unmodifiedType, bool isRequired) => this;

    public MentionReader GetFunctionPointerType(MethodSignature<MentionReader> signature) => this;

    public MentionReader GetGenericInstantiation(MentionReader genericType, ImmutableArray<MentionReader> typeArguments) => this;

    public MentionReader GetGenericMethodParameter(object? genericContext, int index) => this;

    public MentionReader GetGenericTypeParameter(object? genericContext, int index) => this;

    public MentionReader GetArrayType(MentionReader elementType, ArrayShape shape) => this;

    public MentionReader GetByReferenceType(MentionReader elementType) => this;

    public MentionReader GetPinnedType(MentionReader elementType) => this;

    public MentionReader GetPointerType(MentionReader elementType) => this;

    public MentionReader GetPrimitiveType(PrimitiveTypeCode typeCode) => this;

    public MentionReader GetSZArrayType(MentionReader elementType) => this;
}
