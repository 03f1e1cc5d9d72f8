using System.Buffers;
using Iris.Net.Diagnostics;
using Iris.Net.Http;
using Iris.Net.Transport;

namespace Iris.Net.Server;

/// <summary>A plain connection that has not sent its first request's head yet: it becomes an <see cref="HttpConnection"/> once there
/// is something to serve or to refuse.</summary>
internal sealed class HeadFilter : AcceptFilter, IPeer
{
    [ThreadStatic]
    private static RequestHead? _scratch;

    private readonly HttpServer _server;
    private readonly ConnectionMeasure _measure;
    private OperationStatus _status = OperationStatus.NeedMoreData;
    private RejectionReason _why;
    private int _consumed;
    private long _since;        // it was accepted, or the request began
    private int _examined;     // these two as the head that is read by and by has them
    private int _decidesAt;
    private RequestHead? _head;
    private HttpConnection? _heir;

    public HeadFilter(HttpServer server, PeerSocket socket)
        : base(socket)
    {
        _server = server;
        _since = server.Deadlines.Now;
        _measure = ConnectionMeasure.Begin(IsUnix);
    }

    public Wait WaitsFor => !IsWaiting ? Wait.None : Volatile.Read(ref _decidesAt) > 0 ? Wait.Head : Wait.FirstByte;

    protected override int Consumed => _consumed;

    public void CloseWhereIdle()
    {
        if (IsWaiting)
            AskSoon();
        else
            _heir?.CloseWhereIdle();
    }

    public void GoAway()
    {
        if (!TryAbort())
            _heir?.GoAway();
    }

    public void Abort()
    {
        if (!TryAbort())
            _heir?.Abort();
    }

    public override void Tick(long now)
    {
        if (IsLate(now))
            AskSoon();
    }

    protected override Verdict Admit() => _server.TryAdd(this) ? Verdict.Wait : Refuse(RejectionReason.TooManyConnections, 0);

    protected override Verdict Judge()
    {
        bool isLate = IsLate(_server.Deadlines.Now);
        if (Received > 0)
            return isLate ? Refuse(RejectionReason.RequestHeadTimeout, Received) : Verdict.Wait;
        if (isLate && !_server.IsStopping)
            Telemetry.Breached(nameof(HttpServerLimits.FirstByteTimeout));
        return isLate || _server.IsStopping ? Verdict.Close : Verdict.Wait;
    }

    protected override Verdict Judge(in ReadOnlySequence<byte> received, bool isEnded)
    {
        if (_decidesAt == 0)
            Volatile.Write(ref _since, _server.Deadlines.Now);
        // The thread's own until it is whole.
        RequestHead head = _scratch ??= new RequestHead();
        (head.Examined, head.DecidesAt) = (_examined, _decidesAt);
        _status = RequestHeadReader.TryContinue(received, isEnded, _server.HeadLimits, head, out long consumed, out _why);
        switch (_status)
        {
            case OperationStatus.Done:
                _consumed = (int)consumed;
                (_head, _scratch) = (head, null);
                return Verdict.Pass;
            case OperationStatus.NeedMoreData when !isEnded:
                _examined = (int)head.Examined;
                Volatile.Write(ref _decidesAt, (int)head.DecidesAt);
                return Verdict.Wait;
            default:
                return Refuse(isEnded && _status == OperationStatus.NeedMoreData ? RejectionReason.IncompleteRequest : _why, Received);
        }
    }

    protected override void Pass(Connection connection)
    {
        RequestHead head = _head ?? new RequestHead();
        if (_status == OperationStatus.NeedMoreData)
            (head.Examined, head.DecidesAt) = (_examined, _decidesAt);
        HttpConnection heir = new(_server, connection, _measure);
        _server.Deadlines.Replace(this, heir);
        _heir = heir;
        _head = head;
    }

    protected override Task RunAsync() => _heir!.RunAsync(_head!, _status, _why, _since);

    protected override void Leave()
    {
        _server.Remove(this);
        _measure.End(IsUnix);
    }

    protected override void Report(Exception e) => _server.Report(e);

    private bool IsLate(long now)
    {
        HttpServerLimits limits = _server.Options.Limits;
        TimeSpan timeout = Received > 0 ? limits.RequestHeadersTimeout : limits.FirstByteTimeout;
        return now >= Deadlines.After(Volatile.Read(ref _since), timeout);
    }

    private Verdict Refuse(RejectionReason why, int consumed)
    {
        (_status, _why, _consumed) = (OperationStatus.InvalidData, why, consumed);
        return Verdict.Pass;
    }
}
