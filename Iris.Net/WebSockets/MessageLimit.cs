namespace Iris.Net.WebSockets;

/// <summary>Which of the <see cref="MessageLimits"/> a peer broke.</summary>
internal enum MessageLimit
{
    None,
    MessageSize,
    Fragments,
    ControlFrames,
}
