using System.Security.Cryptography;
using System.Text;

namespace Iris.Net.Journal;

/// <summary>Names a program in its records: the first 16 hexadecimal digits of SHA-256 over name and version.</summary>
internal static class ProgramDigest
{
    public static string Of(string name, string version) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}\n{version}")).AsSpan(0, 8));
}
