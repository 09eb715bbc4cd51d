/// A table of text that fits a width.
struct TextTable {
  enum Alignment {
    case left
    case right
  }

  struct Column {
    var title: String
    var alignment = Alignment.left
    /// Whether it may be made narrower than its contents, which then end in `…`.
    var shrinks = false

    /// A column of words.
    static func text(_ title: String, shrinks: Bool = false) -> Column {
      Column(title: title, shrinks: shrinks)
    }

    /// A column of numbers.
    static func number(_ title: String) -> Column {
      Column(title: title, alignment: .right)
    }
  }

  private static let gap = 2
  private static let narrowest = 8

  var columns: [Column]
  var rows: [[String]]

  /// The lines, the titles first, none longer than `width`.
  func lines(width: Int) -> [String] {
    let widths = fitted(to: width)
    return ([columns.map(\.title)] + rows).map { row in
      var line = ""
      for (index, column) in columns.enumerated() {
        if index > 0 { line += String(repeating: " ", count: Self.gap) }
        let cell = Self.truncated(index < row.count ? row[index] : "", to: widths[index])
        let padding = String(repeating: " ", count: widths[index] - cell.count)
        line += column.alignment == .right ? padding + cell : cell + padding
      }
      while line.last == " " { line.removeLast() }
      return Self.truncated(line, to: width)
    }
  }

  /// The lines, none longer than `width`, with nothing cut off: what doesn't fit into the last column goes on below, and
  /// stands below its row altogether where the others leave no room. What had to be cut in those stands there whole.
  func folded(width: Int) -> [String] {
    guard naturalWidth > width, let last = columns.last else { return lines(width: width) }
    var others = self
    others.columns.removeLast()
    others.rows = rows.map { Array($0.prefix(columns.count - 1)) }
    let room = width - others.naturalWidth - Self.gap
    let isBeside = room >= Self.roomy
    let left = others.lines(width: width)
    let widths = others.fitted(to: width)
    let cut = others.rows.map { row in
      zip(row, widths).filter { $0.0.count > $0.1 }.flatMap { Self.wrapped("    " + $0.0, to: width, indent: 4) }
    }
    let texts = [last.title] + rows.map { $0.count == columns.count ? $0[$0.count - 1] : "" }
    return zip(zip(left, [[]] + cut), texts).flatMap { shown, text in
      let (row, whole) = shown
      let indent = isBeside ? others.naturalWidth + Self.gap : 4
      let margin = String(repeating: " ", count: indent)
      let parts = Self.wrapped(margin + text, to: width, indent: indent)
      guard isBeside else { return [row] + whole + (text.isEmpty || text == last.title ? [] : parts) }
      let first =
        row + String(repeating: " ", count: max(0, indent - row.count)) + (parts.first ?? "").dropFirst(indent)
      return [text.isEmpty ? row : first] + parts.dropFirst()
    }
  }

  /// How wide the last column must be to stand beside the others.
  private static let roomy = 28

  /// The width of the contents, cut nowhere.
  var naturalWidth: Int {
    contentWidths.reduce(0, +) + Self.gap * (columns.count - 1)
  }

  private var contentWidths: [Int] {
    columns.indices.map { index in
      ([columns[index].title] + rows.map { index < $0.count ? $0[index] : "" }).map(\.count).max() ?? 0
    }
  }

  /// As wide as the contents, and where that is too wide the widest column that may shrink gives way, again and again.
  private func fitted(to width: Int) -> [Int] {
    var widths = contentWidths
    var excess = widths.reduce(0, +) + Self.gap * (columns.count - 1) - width
    while excess > 0 {
      let shrinkable = columns.indices.filter { columns[$0].shrinks && widths[$0] > Self.narrowest }
      guard let widest = shrinkable.max(by: { widths[$0] < widths[$1] }) else { break }
      widths[widest] -= 1
      excess -= 1
    }
    return widths
  }

  /// A line as lines that fit a terminal, broken between words; for a file or another program it stays whole.
  static func wrapped(_ line: String, to width: Int, indent: Int) -> [String] {
    guard width < Console.widthOfFiles, Paint.width(of: line) > width else { return [line] }
    let margin = line.prefix { $0 == " " }
    let words = line.dropFirst(margin.count).split(separator: " ", omittingEmptySubsequences: false)
    var (lines, present) = ([String](), String(margin) + (words.first ?? ""))
    for word in words.dropFirst() {
      if Paint.width(of: present) + 1 + Paint.width(of: word) > width {
        lines.append(present)
        present = String(repeating: " ", count: indent) + word
      } else {
        present += " " + word
      }
    }
    return lines + [present]
  }

  /// The text, or its beginning and `…` where it is longer than `width`.
  static func truncated(_ text: String, to width: Int) -> String {
    text.count <= width ? text : text.prefix(max(0, width - 1)) + "…"
  }
}
