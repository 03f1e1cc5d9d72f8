using System.Text;
using Iris.Net.Http;

namespace Iris.Net.Server;

/// <summary>What a refusal says where nobody said otherwise: one line of text.</summary>
internal static class DefaultRejection
{
    public static ReadOnlyMemory<byte> Write(HttpResponse response, RejectionReason reason)
    {
        response.Headers.Add("Content-Type"u8, "text/plain"u8);
        return Encoding.ASCII.GetBytes(Rejection.TextOf(reason) + "\n");
    }
}
