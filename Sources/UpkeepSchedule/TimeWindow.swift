public import UpkeepCore

/// A time of day from one minute to another, such as 01:00-05:00; it may pass midnight.
public struct TimeWindow: SettingValue, Hashable {
  /// Where it begins, in minutes after midnight.
  public var start: Int
  /// Where it ends, in minutes after midnight; less than ``start`` where it passes midnight.
  public var end: Int

  /// Creates a window.
  public init(start: Int, end: Int) {
    self.start = start
    self.end = end
  }

  /// ``SettingKind/string``
  public static var kind: SettingKind { .string }

  /// `01:00-05:00`
  public var text: String {
    [start, end].map { "\($0 / 600)\($0 / 60 % 10):\($0 % 60 / 10)\($0 % 10)" }.joined(separator: "-")
  }

  /// Reads `HH:MM-HH:MM`.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> TimeWindow {
    let problem = SettingProblem(code: "bad_window", "expected a window such as 01:00-05:00, found \(node.found)")
    guard case .string(let text) = node.content else { throw problem }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { minute($0) }
    guard ends.count == 2, let start = ends[0], let end = ends[1] else { throw problem }
    guard start != end else {
      throw SettingProblem(code: "bad_window", "the window \(text) is empty; leave it out for the whole day")
    }
    return TimeWindow(start: start, end: end)
  }

  private static func minute(_ text: Substring) -> Int? {
    let bytes = Array(text.utf8)
    guard bytes.count == 5, bytes[2] == 58, let hour = Int(text.prefix(2)), let minute = Int(text.suffix(2)),
      [0, 1, 3, 4].allSatisfy({ (48...57).contains(bytes[$0]) }), hour < 24, minute < 60
    else { return nil }
    return hour * 60 + minute
  }

  /// ``text``
  public var json: JSONValue { .string(text) }
}
