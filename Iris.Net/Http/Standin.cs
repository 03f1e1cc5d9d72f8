namespace Iris.Net.Http { 
/// <summary>x</summary>
public enum RejectionReason { 
/// <summary>x</summary>
None }
/// <summary>x</summary>
public enum HttpVersion { 
/// <summary>x</summary>
Http10 }
/// <summary>x</summary>
public readonly struct HeaderList { } }
