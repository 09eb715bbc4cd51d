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
  /// How many redirects to the same site are followed; they need connections that are kept.
  public var redirects: Int
  /// For whom connections are kept: requests that differ in it share none, so that an answer that isn't as it should be
  /// spoils nobody else's.
  public var party: String

  /// Creates a request.
  public init(
    _ url: String, _ method: Method = .get, headers: [String: String] = [:], timeout: Duration = .seconds(10),
    maxBytes: Int = 1 << 20, redirects: Int = 0, party: String = ""
  ) {
    self.redirects = redirects
    self.party = party
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
  /// When to ask again, as the server wrote it.
  public var retryAfter: String?
  /// Where the answer leads to.
  var location: String?

  /// Creates an answer.
  public init(status: Int, body: [UInt8]) {
    self.status = status
    self.body = body
  }

  /// Equal in status and body.
  public static func == (left: Self, right: Self) -> Bool {
    left.status == right.status && left.body == right.body
  }

  /// Hashes status and body.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(status)
    hasher.combine(body)
  }
}

/// Sends requests to servers of somebody else.
///
/// One request is one try: it follows no redirect, uses no proxy and keeps no connection. Who needs another try asks
/// again; who has many requests keeps connections, and asks through a ``PoliteFetcher``.
public protocol Fetcher: Sendable {
  /// Sends a request and waits for the whole answer.
  ///
  /// - Throws: ``UpkeepCore/TaskError`` where no whole answer could be had: its code is `bad_url`, `fetch_failed`
  ///   (refused, unknown host, broken off), `fetch_timeout` or `fetch_too_large`; its place is ``FetchRequest/label``.
  ///   `CancellationError` where the calling task was cancelled.
  func fetch(_ request: FetchRequest) async throws -> FetchResponse

  /// Lets a closure send many requests; connections are kept until it ends, where the fetcher can keep them.
  func keepingConnections<Value: Sendable>(
    _ body: @Sendable (any Fetcher) async throws -> Value
  ) async throws -> Value
}

extension Fetcher {
  /// Keeps none.
  public func keepingConnections<Value: Sendable>(
    _ body: @Sendable (any Fetcher) async throws -> Value
  ) async throws -> Value {
    try await body(self)
  }

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
  /// Which sites are left alone for a while; as long as the host lives.
  var circuits: CircuitBoard { get }
}

extension FetchResources {
  /// A board of its own each time: nothing is known of earlier runs.
  public var circuits: CircuitBoard { CircuitBoard() }
}

extension TaskContext {
  /// Outgoing HTTP.
  /// - Throws: ``UpkeepCore/TaskError`` where the host offers none.
  public func fetcher() throws -> any Fetcher {
    try fetchResources().fetcher
  }

  /// Which sites are left alone for a while.
  /// - Throws: ``UpkeepCore/TaskError`` where the host offers no outgoing HTTP.
  public func circuits() throws -> CircuitBoard {
    try fetchResources().circuits
  }

  private func fetchResources() throws -> any FetchResources {
    guard let resources = resources as? any FetchResources else {
      throw TaskError(
        code: "no_fetcher", place: "task \(task)", problem: "the host offers no outgoing HTTP",
        fix: "run the task in a host whose resources conform to FetchResources")
    }
    return resources
  }
}
