namespace Iris.Net.Transport;

/// <summary>As many threads as there are processors, and one more for each that user code holds up. What one of them sets off
/// runs on it next, so that no other thread has to wake for it; where it is held up, on another.</summary>
internal sealed class LoopThreads
{
    private const int Most = 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(10);

    [ThreadStatic]
    private static Worker? _current;

    private readonly Func<Worker, bool> _turn;
    private readonly int _usual;
    private readonly Lock _gate = new();
    private readonly List<Worker> _workers = [];
    private readonly AutoResetEvent _activity = new(false);
    private int _surplus;
    private int _watchRests = 1;

    /// <summary>Starts them.</summary>
    /// <param name="turn">What each does again and again; false ends the thread.</param>
    /// <param name="usual">How many there are where none is held up.</param>
    public LoopThreads(Func<Worker, bool> turn, int usual)
    {
        (_turn, _usual) = (turn, usual);
        for (int i = 0; i < usual; i++)
            Add();
        Start(Watch, "Iris watch");
    }

    /// <summary>Runs the work soon, not below its caller: on this thread where it is one of these, else on one of the pool.</summary>
    public static void Queue(IThreadPoolWorkItem work)
    {
        if (_current?.TryQueue(work) != true)
            ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: true);
    }

    private static void Start(ThreadStart run, string name) => new Thread(run) { IsBackground = true, Name = name }.UnsafeStart();

    private void Add()
    {
        Worker worker = new(this);
        lock (_gate)
            _workers.Add(worker);
        Start(() => Run(worker), "Iris loop");
    }

    private void Run(Worker worker)
    {
        _current = worker;
        while (_turn(worker)) { }
        lock (_gate)
            _workers.Remove(worker);
    }

    // Sleeps while nothing happens; otherwise looks every few milliseconds whether a thread is free.
    private void Watch()
    {
        while (true)
        {
            Interlocked.Exchange(ref _watchRests, 1);
            if (!Look())
                _activity.WaitOne();
            Volatile.Write(ref _watchRests, 0);
            do
                Thread.Sleep(Patience);
            while (Look());
        }
    }

    // Whether anything happens. Where every thread has been in the same call since the last look, one more is started.
    private bool Look()
    {
        int free = 0, count;
        bool isActive = false;
        lock (_gate)
        {
            count = _workers.Count;
            foreach (Worker worker in _workers)
            {
                (bool isStuck, bool isBusy) = worker.Look();
                isActive |= isBusy;
                free += isStuck ? 0 : 1;
                if (isStuck)
                    worker.HandOver();
            }
        }

        Volatile.Write(ref _surplus, Math.Max(0, free - _usual));
        if (free == 0 && count < Most)
            Add();
        return isActive;
    }

    /// <summary>One thread.</summary>
    internal sealed class Worker(LoopThreads threads)
    {
        private long _calls;    // odd while in one
        private long _seen;
        private readonly Queue<IThreadPoolWorkItem> _next = [];

        /// <summary>User code may run from now on.</summary>
        public void Enter()
        {
            Interlocked.Increment(ref _calls);
            if (Volatile.Read(ref threads._watchRests) != 0 && Interlocked.Exchange(ref threads._watchRests, 0) != 0)
                threads._activity.Set();
        }

        /// <summary>It came back. What it set off runs now.</summary>
        /// <returns>False where there are enough threads without this one.</returns>
        public bool Leave()
        {
            while (TryTake() is { } work)
                work.Execute();
            Volatile.Write(ref _calls, _calls + 1);
            return Volatile.Read(ref threads._surplus) <= 0 || Interlocked.Decrement(ref threads._surplus) < 0;
        }

        /// <summary>Keeps work for this thread; false outside of a call.</summary>
        public bool TryQueue(IThreadPoolWorkItem work)
        {
            if ((_calls & 1) == 0)
                return false;
            lock (_next)
                _next.Enqueue(work);
            return true;
        }

        /// <summary>Leaves to the pool what waits for a call that does not come back.</summary>
        public void HandOver()
        {
            while (TryTake() is { } work)
                ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
        }

        private IThreadPoolWorkItem? TryTake()
        {
            lock (_next)
                return _next.TryDequeue(out IThreadPoolWorkItem? work) ? work : null;
        }

        public (bool IsStuck, bool IsBusy) Look()
        {
            long calls = Volatile.Read(ref _calls), seen = _seen;
            _seen = calls;
            return (calls == seen && (calls & 1) != 0, calls != seen || (calls & 1) != 0);
        }
    }
}
