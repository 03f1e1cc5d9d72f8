using System.Buffers;
using System.Text;
using Iris.Net.Http;

namespace Iris.Net.Tests.Http;

/// <summary>
/// Serves the bytes of one connection as a server would, and says in one line what became of them:
/// <c>GET /a</c> for a request, <c>POST / "text"</c> for one with a body, <c>!</c> where the connection ends after it,
/// <c>400 Reason</c> for a refusal, <c>...</c> where bytes are left that are not a whole request; joined by <c> | </c>.
/// </summary>
internal sealed class RequestTrace
{
    public const long MaxBody = 1000;

    private readonly RequestHead _head = new();
    private readonly ChunkedReader _chunks;
    private readonly RequestHeadLimits _limits;
    private readonly ArrayBufferWriter<byte> _body = new();
    private readonly StringBuilder _trace = new();
    private BodyFraming _framing;
    private bool _inBody;
    private bool _ended;

    public RequestTrace(RequestHeadLimits? limits = null, ChunkedLimits? chunkedLimits = null)
    {
        _limits = limits ?? RequestHeadLimits.Default;
        _chunks = new ChunkedReader(chunkedLimits ?? ChunkedLimits.Default);
    }

    /// <summary>Whether heads are read again only where <see cref="RequestHeadReader.CanDecide"/> says so.</summary>
    public bool Patient { get; init; }

    /// <summary>Takes what has arrived and is not consumed yet; returns how much of it is consumed now.</summary>
    public long Take(in ReadOnlySequence<byte> arrived, bool atEnd = false)
    {
        var input = new SequenceReader<byte>(arrived);
        bool worthwhile = _ended || !Patient || atEnd || _inBody || RequestHeadReader.CanDecide(input.UnreadSequence, _head);
        while (worthwhile && !_ended && !input.End)
            worthwhile = _inBody ? TakeBody(ref input) : TakeHead(ref input);
        if (!_ended && atEnd && (_inBody || !input.End))
            Say("...");
        return _ended ? arrived.Length : input.Consumed;
    }

    public override string ToString() => _trace.ToString();

    private bool TakeHead(ref SequenceReader<byte> input)
    {
        long before = input.Consumed;
        OperationStatus status = RequestHeadReader.TryRead(ref input, _limits, _head, out RejectionReason why);
        if (status != OperationStatus.Done)
        {
            Assert.That(input.Consumed, Is.EqualTo(before), "consumed without being done");
            Assert.That(why == RejectionReason.None, Is.EqualTo(status == OperationStatus.NeedMoreData), "status and reason");
            return why == RejectionReason.None ? false : Refuse(why);
        }
        why = BodyFraming.TryDetermine(_head, out _framing);
        if (why == RejectionReason.None)
            why = Expectation.TryDetermine(_head, out _);
        if (why == RejectionReason.None && _framing.Kind == BodyFramingKind.Length && _framing.Length > MaxBody)
            why = RejectionReason.BodyTooLarge;
        if (why != RejectionReason.None)
            return Refuse(why);
        _body.ResetWrittenCount();
        _chunks.Reset();
        _inBody = true;
        return _framing.Kind != BodyFramingKind.None && _framing != BodyFraming.OfLength(0) || EndRequest();
    }

    private bool TakeBody(ref SequenceReader<byte> input)
    {
        if (_framing.Kind == BodyFramingKind.Chunked)
        {
            OperationStatus status = _chunks.Read(ref input, _body, MaxBody, out RejectionReason why);
            if (why != RejectionReason.None)
                return Refuse(why);
            if (status == OperationStatus.NeedMoreData)
                Assert.That(input.End, Is.True, "asked for more with bytes left");
            return status == OperationStatus.Done && EndRequest();
        }
        int length = (int)Math.Min(_framing.Length - _body.WrittenCount, input.Remaining);
        foreach (ReadOnlyMemory<byte> part in input.UnreadSequence.Slice(0, length))
            _body.Write(part.Span);
        input.Advance(length);
        return _body.WrittenCount == _framing.Length && EndRequest();
    }

    private bool EndRequest()
    {
        _inBody = false;
        string query = _head.Query.IsEmpty ? "" : "?" + Bytes.Text(_head.Query);
        string body = _framing.Kind == BodyFramingKind.None ? "" : $" \"{Bytes.Text(_body.WrittenSpan)}\"";
        _ended = !KeepAlive.IsPersistent(_head);
        Say($"{Bytes.Text(_head.Method)} {Bytes.Text(_head.Path)}{query}{body}{(_ended ? " !" : "")}");
        _head.Clear();
        return !_ended;
    }

    private bool Refuse(RejectionReason why)
    {
        Say($"{Rejection.StatusOf(why)} {why}");
        _ended = true;
        return false;
    }

    private void Say(string what) => _trace.Append(_trace.Length == 0 ? "" : " | ").Append(what);
}
