/// Reads one field of a cron expression.
struct CronFieldReader {
  let field: CronField

  init(_ field: CronField) {
    self.field = field
  }

  /// The values of a whole field, ascending; for the day of week 0 to 6.
  func values(_ text: String) throws(CronError) -> [Int] {
    var result: Set<Int> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard !part.isEmpty else { throw CronError(field, found: text) }
      result.formUnion(try values(ofPart: String(part)))
    }
    return result.sorted()
  }

  /// The values of one part of a list: `*`, `5`, `1-5`, `*/15`, `10-30/5`.
  func values(ofPart part: String) throws(CronError) -> [Int] {
    let pieces = part.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard pieces.count <= 2, let base = pieces.first else { throw CronError(field, found: part) }
    var step = 1
    if pieces.count == 2 {
      guard let number = Self.number(pieces[1]), number >= 1, number <= field.size else {
        throw CronError(
          field, found: part, allowed: "a step of 1 to \(field.size)",
          "expected a step of 1 to \(field.size) for the \(field.rawValue), found \(part)")
      }
      step = number
    }
    let bounds = try bounds(base, isStepped: pieces.count == 2, part: part)
    let values = stride(from: bounds.lowerBound, through: bounds.upperBound, by: step)
    return field == .dayOfWeek ? values.map { $0 % 7 } : Array(values)
  }

  private func bounds(_ base: String, isStepped: Bool, part: String) throws(CronError) -> ClosedRange<Int> {
    let whole = field == .dayOfWeek ? 0...6 : field.range
    if base == "*" { return whole }
    let ends = base.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    var first = try value(ends[0], part: part)
    if ends.count == 1 {
      guard !isStepped else {
        throw CronError(
          field, found: part, allowed: "a range before the step",
          "a step needs a range; write \(base)-\(whole.upperBound)/\(part.split(separator: "/").last ?? "1")"
            + " for the \(field.rawValue), found \(part)")
      }
      return first...first
    }
    guard ends.count == 2 else { throw CronError(field, found: part) }
    var last = try value(ends[1], part: part)
    if field == .dayOfWeek, last == 0, first > 0 { last = 7 }
    if field == .dayOfWeek, first == 7, last < 7 { first = 0 }
    guard first <= last else {
      throw CronError(
        field, found: part, allowed: field.allowed,
        "the range \(part) of the \(field.rawValue) runs backwards; write \(parts(from: first, to: last))")
    }
    return first...last
  }

  /// A range that runs over the end of the field, as the two ranges that it stands for.
  private func parts(from first: Int, to last: Int) -> String {
    let (lowest, highest) = (field.range.lowerBound, field == .dayOfWeek ? 6 : field.range.upperBound)
    return [(lowest, last), (first, highest)].map { $0 == $1 ? "\($0)" : "\($0)-\($1)" }.joined(separator: ",")
  }

  /// One value: a number or a name.
  func value(_ text: String, part: String) throws(CronError) -> Int {
    if let index = field.names.firstIndex(of: text.uppercased()) { return index + field.range.lowerBound }
    guard let number = Self.number(text), field.range.contains(number) else { throw CronError(field, found: part) }
    return number
  }

  /// A number of at most four digits and nothing else.
  static func number(_ text: String) -> Int? {
    guard !text.isEmpty, text.count <= 4, text.allSatisfy({ $0 >= "0" && $0 <= "9" }) else { return nil }
    return Int(text)
  }
}
