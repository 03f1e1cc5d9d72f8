using System.Text.Encodings.Web;
using System.Text.Json;

namespace Iris.Net;

/// <summary>How JSON is written here: as little escaped as the grammar allows.</summary>
internal static class JsonText
{
    /// <summary>For writers of our own, whose calls are in order by construction.</summary>
    public static readonly JsonWriterOptions Writer =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
