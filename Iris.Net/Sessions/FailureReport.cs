namespace Iris.Net.Sessions;

/// <summary>Is told of what a program threw, and of what else went wrong with turns.</summary>
/// <param name="what"><c>store</c>, <c>lease</c>, <c>abandoned</c>, <c>aborted</c>, or the id that the client of a failed turn gets.</param>
/// <param name="error">What was thrown.</param>
/// <param name="session">The session's digest; null where it concerns none.</param>
internal delegate void FailureReport(string what, Exception error, string? session);
