using System.Text.Json.Serialization;

namespace Iris.Serve;

[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class HandleJson : JsonSerializerContext;
