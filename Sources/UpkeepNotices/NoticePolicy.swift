/// Whom a host tells of its runs.
public struct NoticePolicy: Hashable, Sendable {
  /// A program and its arguments; empty where there is none.
  public var command: [String]
  /// An address that gets the result as JSON.
  public var webhook: String?
  /// After how many failures in a row command and webhook are told.
  public var after: Int
  /// The addresses that are pinged for each task's runs.
  public var heartbeats: [String: String]
  /// The absolute folder that the command starts in.
  public var folder: String

  /// Creates a policy.
  public init(
    command: [String] = [], webhook: String? = nil, after: Int = 1, heartbeats: [String: String] = [:], folder: String
  ) {
    self.command = command
    self.webhook = webhook
    self.after = after
    self.heartbeats = heartbeats
    self.folder = folder
  }

  /// Whether anybody is told of streaks of failures.
  var tellsOfFailures: Bool { !command.isEmpty || webhook != nil }
}

/// What somebody is told of.
enum NoticeEvent: String {
  /// A streak of failures is as long as the configuration says.
  case failure
  /// The first good run after a streak that was told.
  case recovery
}

/// The addresses of a dead-man's switch, as healthchecks.io and those like it have them.
enum HeartbeatAddress: String {
  case start = "/start"
  case success = ""
  case failure = "/fail"

  /// The address for this moment: its path goes before a query.
  func url(_ base: String) -> String {
    let end = base.firstIndex { $0 == "?" || $0 == "#" } ?? base.endIndex
    var path = String(base[..<end])
    while rawValue.isEmpty == false, path.hasSuffix("/") { path.removeLast() }
    return path + rawValue + base[end...]
  }
}
