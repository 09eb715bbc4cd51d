import Synchronization
import UpkeepCore

/// Who gave the token on the page to log in at: they carry a cookie instead. The token itself never goes into it.
final class Sessions: Sendable {
  /// How long one holds.
  static let length = Duration.seconds(12 * 3600)
  /// So many are held; the one that ends first gives way to one more.
  private static let most = 100
  private static let cookie = "upkeep_session"

  private let wallClock: any WallClock
  private let random: any RandomSource
  private let ends = Mutex<[String: Timestamp]>([:])

  init(wallClock: any WallClock, random: any RandomSource) {
    self.wallClock = wallClock
    self.random = random
  }

  /// Begins a session.
  /// - Returns: The header field that sets its cookie: no script reads it, and no other site's request carries it.
  func begin() -> (name: String, value: String) {
    let identifier = (0..<4).map { _ in String(random.next(), radix: 36) }.joined(separator: ".")
    let now = wallClock.now()
    ends.withLock { ends in
      ends = ends.filter { $0.value > now }
      if ends.count >= Self.most, let first = ends.min(by: { $0.value < $1.value }) { ends[first.key] = nil }
      ends[identifier] = now + Self.length
    }
    return Self.field(identifier, seconds: Self.length.components.seconds)
  }

  /// Ends the session of a request.
  /// - Returns: The header field that takes its cookie away.
  func end(_ request: WebRequest) -> (name: String, value: String) {
    for identifier in Self.identifiers(request) { _ = ends.withLock { $0.removeValue(forKey: identifier) } }
    return Self.field("", seconds: 0)
  }

  /// Whether a request belongs to a session that holds.
  func holds(_ request: WebRequest) -> Bool {
    let now = wallClock.now()
    return Self.identifiers(request).contains { identifier in
      ends.withLock { $0[identifier].map { $0 > now } ?? false }
    }
  }

  private static func identifiers(_ request: WebRequest) -> [String] {
    (request.headers["cookie"] ?? "").split(separator: ";").compactMap { pair in
      let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
      return parts.count == 2 && parts[0] == cookie ? String(parts[1]) : nil
    }
  }

  private static func field(_ identifier: String, seconds: Int64) -> (name: String, value: String) {
    ("Set-Cookie", "\(cookie)=\(identifier); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict")
  }
}
