using System.Text.Json.Serialization;

namespace Iris.Ledger;

[JsonSerializable(typeof(long))]
internal sealed partial class LedgerJson : JsonSerializerContext;
