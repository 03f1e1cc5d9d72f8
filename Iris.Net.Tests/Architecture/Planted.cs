// Violations of the floors, one a type, for PlantedTests to find.
#pragma warning disable CA1822, CA1852, CA1812

using System.Collections;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net.Sockets;
using Iris.Net.Tests.Architecture.Planted.Server;

namespace Iris.Net.Tests.Architecture.Planted
{
    internal sealed class StandsInSessions
    {
        public Server.Room? Room { get; set; }
    }
}

namespace Iris.Net.Tests.Architecture.Planted.Attic
{
    internal sealed class Stray
    {
        public int Count { get; } = "stray".Length;
    }
}

namespace Iris.Net.Tests.Architecture.Planted.Server
{
    internal class Room
    {
        public static int Doors { get; set; }

        public static T Make<T>() => default!;

        public Http.Pure Below { get; } = new();
    }

    internal interface IRoom;

    internal sealed class RoomAttribute : Attribute;

    internal sealed class RoomException : Exception;
}

namespace Iris.Net.Tests.Architecture.Planted.Http
{
    internal sealed class Pure
    {
        public DateTime When { get; } = DateTime.UnixEpoch;

        public byte[] Bytes { get; } = [1, 2, 3];

        public override string ToString() => Bytes.Length.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    internal sealed class InBase : Room;

    internal sealed class InInterface : IRoom;

    internal sealed class InConstraint
    {
        public int Of<T>()
            where T : Room => typeof(T).Name.Length;
    }

    [Room]
    internal sealed class InAttribute;

    internal sealed class InField
    {
        public Room? Room = null;
    }

    internal sealed class InReturn
    {
        public Room? Get() => null;
    }

    internal sealed class InParameter
    {
        public void Set(Room room) => _ = room;
    }

    internal sealed class InGenericArgument
    {
        public Func<Dictionary<int, List<Room>>>? Rooms { get; set; }
    }

    internal sealed class InArray
    {
        public Room[][]? Rooms { get; set; }
    }

    internal sealed class InLocal
    {
        public bool Run()
        {
            Room? room = null;
            for (int i = 0; i < 3; i++)
                room ??= null;
            return room is null;
        }
    }

    internal sealed class InCall
    {
        public int Run() => Room.Doors;
    }

    internal sealed class InGenericCall
    {
        public int Run() => Array.Empty<Room>().Length;
    }

    internal sealed class InSwitch
    {
        public int Run(int which) => which switch
        {
            0 => 7,
            1 => 9,
            2 => 4,
            3 => Room.Doors,
            4 => 6,
            _ => 5,
        };
    }

    internal sealed class InTypeOf
    {
        public string Run() => typeof(Room).Name;
    }

    internal sealed class InCatch
    {
        public void Run()
        {
            try
            {
                _ = int.Parse("1", System.Globalization.CultureInfo.InvariantCulture);
            }
            catch (RoomException)
            {
            }
        }
    }

    internal sealed class InCast
    {
        public bool Run(object value) => value is Room;
    }

    internal sealed class InLambda
    {
        public Func<int> Run(int add) => () => Room.Doors + add;
    }

    internal sealed class InLocalFunction
    {
        public int Run()
        {
            return Inner();

            static int Inner() => Room.Doors;
        }
    }

    internal sealed class InIterator
    {
        public IEnumerable Run()
        {
            yield return Room.Doors;
        }
    }

    internal sealed class InNestedType
    {
        public sealed class Deeper
        {
            public sealed class Deepest
            {
                public int Run() => Room.Doors;
            }
        }
    }

    internal sealed class Waits
    {
        public ValueTask RunAsync() => default;
    }

    internal sealed class WaitsInside
    {
        public bool Run() => Task.CompletedTask.IsCompleted;
    }

    internal sealed class ReadsStream
    {
        public int Run(Stream from) => from.ReadByte();
    }

    internal sealed class ReadsPipe
    {
        public PipeReader? From { get; set; }
    }

    internal sealed class OpensSocket
    {
        public Socket? Socket { get; set; }
    }

    internal sealed class AsksTime
    {
        public int Run() => DateTime.UtcNow.Day;
    }

    internal sealed class AsksTicks
    {
        public long Run() => Environment.TickCount64;
    }

    internal sealed class AsksProvider
    {
        public TimeProvider? Time { get; set; }
    }

    internal sealed class Measures
    {
        public long Run() => Stopwatch.GetTimestamp();
    }

    internal sealed class ThrowsDice
    {
        public int Run() => Random.Shared.Next();
    }

    internal sealed class MakesId
    {
        public Guid Run() => Guid.NewGuid();
    }

    internal sealed class Logs
    {
        public void Run() => Console.WriteLine();
    }
}
