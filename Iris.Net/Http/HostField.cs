namespace Iris.Net.Http;

/// <summary>RFC 9112 section 3.2: exactly one valid Host, and no second opinion in the request target.</summary>
internal static class HostField
{
    public static RejectionReason Judge(RequestHead head)
    {
        HeaderList headers = head.Headers;
        int at = headers.IndexOf("host"u8, 0);
        if (at < 0)
            return head.Version == ProtocolVersion.Http10 ? RejectionReason.None : RejectionReason.MissingHost;
        if (headers.IndexOf("host"u8, at + 1) >= 0)
            return RejectionReason.SeveralHosts;
        if (!Authority.TryParse(headers.ValueAt(at), out Authority host))
            return RejectionReason.InvalidHost;
        return AgreesWithTarget(head, host) ? RejectionReason.None : RejectionReason.HostDisagreesWithTarget;
    }

    // Section 3.2.2 lets the target win; two hosts in one request are an attack on whoever believes the other one.
    private static bool AgreesWithTarget(RequestHead head, in Authority host)
    {
        int scheme = RequestTarget.SchemeLength(head.Target);
        return scheme == 0
            || (Authority.TryParse(head.TargetAuthority, out Authority target)
                && target.IsSameAs(host, defaultPort: scheme == "https://".Length ? 443 : 80));
    }
}
