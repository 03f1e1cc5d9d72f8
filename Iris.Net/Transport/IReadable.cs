namespace Iris.Net.Transport;

/// <summary>Is told by <see cref="EpollLoop"/> when its socket has something.</summary>
internal interface IReadable
{
    /// <summary>Its place in the loop, which alone sets it; 0 where it is not watched.</summary>
    long Registration { get; set; }

    /// <summary>There may be something to receive, or to accept.</summary>
    /// <param name="isEnding">Whether the end is behind it.</param>
    void OnReadable(bool isEnding);
}
