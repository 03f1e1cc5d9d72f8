using System.Text.Json;
using Iris.Net;

namespace Iris.Serve.Images;

/// <summary>One attempt at one turn, told to a process and heard from it line by line.</summary>
internal sealed class ImageTurn(ImageProcess process, TurnContext turn)
{
    /// <summary>True once the program ended the turn by the protocol: it is ready for another.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Runs the turn. A program that takes too long is killed; one whose turn is cancelled gets SIGTERM, and 5 s.</summary>
    /// <exception cref="ImageException">The program failed the attempt; the message says how.</exception>
    public async Task<TurnOutcome> RunAsync(TimeSpan? timeout, CancellationToken cancel)
    {
        using var late = new CancellationTokenSource(timeout ?? Timeout.InfiniteTimeSpan);
        using CancellationTokenRegistration killing = late.Token.Register(() => _ = process.KillAsync());
        using CancellationTokenRegistration ending = cancel.Register(() =>
        {
            process.Terminate();
            late.CancelAfter(ImageProcess.Grace);
        });
        try
        {
            process.Send(ServerLine.Turn(turn));
            TurnOutcome outcome = await TalkAsync();
            IsEnded = !cancel.IsCancellationRequested;   // one that got SIGTERM and did not say so may yet end by it
            return outcome;
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
            await HearOutAsync();
            throw new OperationCanceledException(cancel);
        }
        catch (ImageException) when (late.IsCancellationRequested)
        {
            throw new ImageException($"ran past its time of {timeout!.Value.TotalSeconds} s");
        }
    }

    private async Task<TurnOutcome> TalkAsync()
    {
        while (true)
        {
            switch (await NextAsync())
            {
                case ProgramLine.Outcome outcome:
                    return outcome.Value;
                case ProgramLine.Step step:
                    JsonElement value = await turn.StepAsync(step.Name, PerformAsync, new StepOptions { Request = step.Request });
                    process.Send(ServerLine.Result(step.Name, value));
                    break;
                default:
                    throw new ImageException("said 'performed' of a step that it was not to perform");
            }
        }
    }

    private async ValueTask<JsonElement> PerformAsync(StepContext step, CancellationToken cancel)
    {
        process.Send(ServerLine.Perform(step));
        return await NextAsync() is ProgramLine.Performed performed && performed.Name == step.Name
            ? performed.Value
            : throw new ImageException($"was to perform step '{step.Name}', and went on to something else");
    }

    private void TellKey(string name)
    {
        try
        {
            process.Send(ServerLine.WakeKey(name, turn.WakeFor(name)));
        }
        catch (ArgumentException e)
        {
            throw new ImageException($"asked for the key of a signal that cannot be: {e.Message}");
        }
    }

    /// <summary>The next line that is neither a delta, nor asks for a key, nor an error.</summary>
    private async Task<ProgramLine> NextAsync()
    {
        while (true)
        {
            if (await process.ReadLineAsync() is not { } line)
                throw new ImageException(await HowItEndedAsync());
            switch (ProgramLine.Parse(line))
            {
                case ProgramLine.Delta delta:
                    await turn.DeltaAsync(delta.Text);
                    break;
                case ProgramLine.WakeFor wake:
                    TellKey(wake.Name);
                    break;
                case ProgramLine.Error error:
                    IsEnded = true;
                    throw new ImageException(error.Message);
                case ProgramLine other:
                    return other;
            }
        }
    }

    private async Task<string> HowItEndedAsync()
    {
        await Task.WhenAny(process.Gone, Task.Delay(TimeSpan.FromSeconds(1)));
        return process.ExitCode is { } code
            ? $"exited with {code} before it gave an outcome"
            : "closed its output before it gave an outcome";
    }

    // The turn is over, whatever the program still says, but one that heard SIGTERM and says "error" is kept.
    private async Task HearOutAsync()
    {
        try
        {
            ProgramLine? last = null;
            while (!IsEnded && last is not ProgramLine.Outcome && await process.ReadLineAsync() is { } line)
            {
                last = ProgramLine.Parse(line);
                IsEnded = last is ProgramLine.Error;
            }
        }
        catch (ImageException)
        {
            // Not a line: it is killed.
        }
    }
}
