import UpkeepCore

/// Numbers, sizes and times as people read them.
package enum NumberText {
  /// `1,234,567`
  package static func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return number < 0 ? "-" + text : text
  }

  /// `1 row`, `2 rows`, with the number grouped.
  package static func counted(_ number: Int, _ noun: String) -> String {
    "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
  }

  /// `512 B`, `61.2 MB`: powers of 1000, one digit behind the point.
  package static func bytes(_ number: Int) -> String {
    guard number >= 1000 else { return "\(number) B" }
    var value = Double(number)
    var unit = 0
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    while value >= 999.95, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return "\(tenths(value)) \(units[unit])"
  }

  /// `12 ms`, `1.2 s`, `3 min 5 s`, `2 h 4 min`.
  package static func milliseconds(_ number: Int) -> String {
    if number < 1000 { return "\(number) ms" }
    if number < 60_000 { return "\(tenths(Double(number) / 1000)) s" }
    let seconds = number / 1000
    if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
    return "\(seconds / 3600) h \(seconds / 60 % 60) min"
  }

  /// `just now`, `5 min ago`, `3 h ago`, `2 days ago`.
  package static func age(_ duration: Duration) -> String {
    let seconds = duration.milliseconds / 1000
    switch seconds {
    case ..<60: return "just now"
    case ..<3600: return "\(seconds / 60) min ago"
    case ..<172_800: return "\(seconds / 3600) h ago"
    default: return "\(seconds / 86_400) days ago"
    }
  }

  /// A number with one digit behind the point, none where that is 0.
  package static func tenths(_ value: Double) -> String {
    let scaled = Int((value * 10).rounded())
    return scaled % 10 == 0 ? "\(scaled / 10)" : "\(scaled / 10).\(abs(scaled % 10))"
  }
}
