using System.Text.Encodings.Web;
using System.Text.Json;

namespace Iris.Net;

/// <summary>How JSON is written here: as little escaped as the grammar allows.</summary>
internal static class JsonText
{
    public static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
