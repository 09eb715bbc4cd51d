public import UpkeepCore

/// One request to a server of somebody else.
public struct FetchRequest: Hashable, Sendable {
  /// What is asked for.
  public enum Method: Hashable, Sendable {
    /// Reads something.
    case get
    /// Hands over a JSON document.
    case postJSON([UInt8])
  }

  /// The address, `http` or `https`. It may hold a password; messages show it masked.
  public var url: String
  /// What is asked for.
  public var method: Method
  /// Further headers.
  public var headers: [String: String]
  /// How long it may take from the connection to the last byte of the answer.
  public var timeout: Duration
  /// The longest answer that is taken, in bytes.
  public var maxBytes: Int

  /// Creates a request.
  public init(
    _ url: String, _ method: Method = .get, headers: [String: String] = [:], timeout: Duration = .seconds(10),
    maxBytes: Int = 1 << 20
  ) {
    self.url = url
    self.method = method
    self.headers = headers
    self.timeout = timeout
    self.maxBytes = maxBytes
  }

  /// `GET http://127.0.0.1:8000/api/jobs/active`, passwords masked: how messages call it.
  public var label: String {
    let verb = if case .get = method { "GET" } else { "POST" }
    return "\(verb) \(Secret.masked(url))"
  }
}

/// A server's answer, whatever its status.
public struct FetchResponse: Hashable, Sendable {
  /// The HTTP status, such as 200.
  public var status: Int
  /// The body.
  public var body: [UInt8]

  /// Creates an answer.
  public init(status: Int, body: [UInt8]) {
    self.status = status
    self.body = body
  }
}

/// Sends requests to servers of somebody else.
///
/// One request is one try: it follows no redirect, uses no proxy and keeps no connection. Who needs another try asks
/// again.
public protocol Fetcher: Sendable {
  /// Sends a request and waits for the whole answer.
  ///
  /// - Throws: ``UpkeepCore/TaskError`` where no whole answer could be had: its code is `bad_url`, `fetch_failed`
  ///   (refused, unknown host, broken off), `fetch_timeout` or `fetch_too_large`; its place is ``FetchRequest/label``.
  ///   `CancellationError` where the calling task was cancelled.
  func fetch(_ request: FetchRequest) async throws -> FetchResponse
}

extension Fetcher {
  /// Sends a request whose answer must have status 200 to 299.
  ///
  /// - Throws: As ``fetch(_:)``, and an error with code `fetch_status` for any other status.
  public func fetchSuccess(_ request: FetchRequest) async throws -> FetchResponse {
    let response = try await fetch(request)
    guard (200...299).contains(response.status) else {
      throw TaskError(
        code: "fetch_status", place: request.label, problem: "expected status 200, found \(response.status)",
        fix: "check the address, and that its server is well")
    }
    return response
  }
}

/// Offers outgoing HTTP to tasks.
public protocol FetchResources: TaskResources {
  /// Sends requests.
  var fetcher: any Fetcher { get }
}

extension TaskContext {
  /// Outgoing HTTP.
  /// - Throws: ``UpkeepCore/TaskError`` where the host offers none.
  public func fetcher() throws -> any Fetcher {
    guard let resources = resources as? any FetchResources else {
      throw TaskError(
        code: "no_fetcher", place: "task \(task)", problem: "the host offers no outgoing HTTP",
        fix: "run the task in a host whose resources conform to FetchResources")
    }
    return resources.fetcher
  }
}
