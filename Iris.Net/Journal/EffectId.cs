using System.Globalization;

namespace Iris.Net.Journal;

/// <summary>Names an effect in the journal: <c>NAME:SEQ</c>, the seq of its intent.</summary>
internal static class EffectId
{
    public static string Format(string name, long seq) => string.Create(CultureInfo.InvariantCulture, $"{name}:{seq}");

    public static string NameOf(string effectId) => effectId[..effectId.LastIndexOf(':')];
}
