namespace Iris.Net.WebSockets;

/// <summary>What a frame is (RFC 6455 section 5.2); the values that are not here are reserved.</summary>
internal enum Opcode : byte
{
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
}
