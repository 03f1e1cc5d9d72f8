using System.Buffers;
using System.IO.Pipelines;

namespace Iris.Serve.Images;

/// <summary>Reads the lines of a stream; one that is too long comes in pieces.</summary>
/// <param name="stream">Read to its end.</param>
/// <param name="longest">The most bytes of a piece.</param>
/// <param name="stop">Ends the reading as if the stream had ended.</param>
internal sealed class LineReader(Stream stream, int longest, CancellationToken stop)
{
    private readonly PipeReader _input = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));

    /// <summary>The next line without its end, which the last one may lack; null at the end of the stream.</summary>
    public async Task<byte[]?> ReadAsync()
    {
        while (true)
        {
            ReadResult read;
            try
            {
                read = await _input.ReadAsync(stop);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                return null;
            }

            ReadOnlySequence<byte> line = read.Buffer;
            SequencePosition next = line.End;
            bool isWhole = read.IsCompleted && !line.IsEmpty;
            if (line.PositionOf((byte)'\n') is { } end)
            {
                (line, next, isWhole) = (line.Slice(0, end), line.GetPosition(1, end), true);
            }

            if (line.Length > longest)
            {
                line = line.Slice(0, longest);
                (next, isWhole) = (line.End, true);
            }

            if (isWhole)
            {
                byte[] bytes = line.ToArray();
                _input.AdvanceTo(next);
                return bytes;
            }

            if (read.IsCompleted)
                return null;
            _input.AdvanceTo(line.Start, line.End);
        }
    }
}
