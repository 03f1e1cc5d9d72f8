using System.Buffers;
using System.IO.Pipelines;
using Iris.Net.Http;

namespace Iris.Net.Server;

/// <summary>A request's body as it comes: at most one receive ahead of whoever reads.</summary>
internal sealed class RequestBodyPipe(RequestBodyReader body) : PipeReader
{
    private readonly RentedBuffer _bytes = new();
    private ReadOnlySequence<byte> _shown;
    private bool _examinedAll = true;

    public bool IsOpen { get; private set; }

    public void Begin()
    {
        IsOpen = true;
        _examinedAll = true;
    }

    public void End()
    {
        IsOpen = false;
        _shown = default;
        _bytes.Clear();
    }

    public override bool TryRead(out ReadResult result)
    {
        if (!IsOpen)
            throw new InvalidOperationException("The exchange is over.");
        result = default;
        if (_examinedAll && !body.IsAtEnd)
            return false;
        _shown = new ReadOnlySequence<byte>(_bytes.Written);
        result = new ReadResult(_shown, isCanceled: false, body.IsAtEnd);
        return true;
    }

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ReadResult result;
        while (!TryRead(out result))
        {
            int before = _bytes.Length;
            RejectionReason why = await body.ReadOnAsync(_bytes, body.Limits.MaxRequestBodySize, cancellationToken)
                .ConfigureAwait(false);
            if (why != RejectionReason.None)
                throw new IOException(Rejection.TextOf(why));
            _examinedAll = _bytes.Length == before;
        }

        return result;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        _examinedAll = _shown.Slice(examined).IsEmpty;
        _bytes.Consume((int)_shown.Slice(0, consumed).Length);
        _shown = default;
    }

    public override void CancelPendingRead() => throw new NotSupportedException("A read is cancelled by its token.");

    public override void Complete(Exception? exception = null)
    {
        // The exchange ends it.
    }
}
