/// One of the five fields of a cron expression.
public enum CronField: String, Sendable, CaseIterable {
  /// 0 to 59.
  case minute
  /// 0 to 23.
  case hour
  /// 1 to 31, `L` for the last, or `L-3` for three days before it.
  case dayOfMonth = "day of month"
  /// 1 to 12, or a name.
  case month
  /// 0 to 7 (0 and 7 are Sunday), or a name; `5#2` for the second Friday, `5L` for the last.
  case dayOfWeek = "day of week"

  /// The values that may be written.
  var range: ClosedRange<Int> {
    switch self {
    case .minute: 0...59
    case .hour: 0...23
    case .dayOfMonth: 1...31
    case .month: 1...12
    case .dayOfWeek: 0...7
    }
  }

  /// The number of different values; also the greatest step that makes sense.
  var size: Int {
    self == .dayOfWeek ? 7 : range.count
  }

  /// Names for values, the first standing for `range.lowerBound`.
  var names: [String] {
    switch self {
    case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
    default: []
    }
  }

  /// What may be written, for messages.
  public var allowed: String {
    switch self {
    case .minute: "0 to 59"
    case .hour: "0 to 23"
    case .dayOfMonth: "1 to 31, L or L-3"
    case .month: "1 to 12 or JAN to DEC"
    case .dayOfWeek: "0 to 7 or SUN to SAT, such as 5#2 or 5L"
    }
  }
}

/// What is wrong with a cron expression.
public struct CronError: Error, Hashable, Sendable {
  /// The field, where it is one field's fault.
  public var field: CronField?
  /// The part that can't be read.
  public var found: String
  /// What may stand there.
  public var allowed: String
  /// All of that in one sentence, and what to write.
  public var message: String

  init(_ field: CronField?, found: String, allowed: String, _ message: String) {
    self.field = field
    self.found = found
    self.allowed = allowed
    self.message = message
  }

  init(_ field: CronField, found: String) {
    self.init(
      field, found: found, allowed: field.allowed,
      "expected \(field.allowed) for the \(field.rawValue), found \(found.isEmpty ? "nothing" : found)")
  }
}
