using Iris.Net.Journal;

namespace Iris.Net.Stores.Files;

/// <summary>Completes once a frame is on disk; fails where what becomes of it is not known.</summary>
internal class FrameWait() : TaskCompletionSource<AppendResult>(TaskCreationOptions.RunContinuationsAsynchronously), ISyncWaiter
{
    public virtual void Synced() => TrySetResult(AppendResult.Appended);

    public void Failed(IOException why) => TrySetException(new IOException(why.Message, why));
}

/// <summary>The same for a commit: once it is on disk its head is the session's, also where nobody waits any more.</summary>
internal sealed class CommitWait(FileSessions sessions, FileSession session, SessionHead head) : FrameWait
{
    /// <summary>The commit's frame.</summary>
    public RecordFrame Frame { get; set; }

    public override void Synced()
    {
        lock (session)   // held while the frame is written and told here
            sessions.Publish(session, Frame, head);
        base.Synced();
    }
}
