/// Swift source with comments and string literals blanked out, so that a rule about code doesn't hit prose.
///
/// Lines keep their numbers. Code inside `\(…)` counts as part of its literal.
struct SwiftCode {
  /// The code as one text.
  let text: String
  /// The code by lines.
  let lines: [String]

  init(_ source: String) {
    var output: [UInt8] = []
    var scanner = Scanner(text: Array(source.utf8))
    while let character = scanner.current {
      if scanner.starts(with: "//") {
        scanner.blank(into: &output) { $0.current == UInt8(ascii: "\n") || $0.current == nil }
      } else if scanner.starts(with: "/*") {
        scanner.blankBlockComment(into: &output)
      } else if let fence = scanner.literalStart() {
        scanner.blankLiteral(fence, into: &output)
      } else {
        output.append(character)
        scanner.advance()
      }
    }
    text = String(decoding: output, as: UTF8.self)
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private struct Scanner {
    let text: [UInt8]
    var index = 0

    var current: UInt8? { index < text.count ? text[index] : nil }

    mutating func advance(_ count: Int = 1) {
      index += count
    }

    func starts(with token: String) -> Bool {
      text[index...].starts(with: token.utf8)
    }

    mutating func blank(_ count: Int = 1, into output: inout [UInt8]) {
      for _ in 0..<count {
        guard let character = current else { return }
        output.append(character == UInt8(ascii: "\n") ? character : UInt8(ascii: " "))
        advance()
      }
    }

    mutating func blank(into output: inout [UInt8], until isDone: (Scanner) -> Bool) {
      while !isDone(self) { blank(into: &output) }
    }

    mutating func blankBlockComment(into output: inout [UInt8]) {
      var depth = 0
      repeat {
        if starts(with: "/*") {
          depth += 1
          blank(2, into: &output)
        } else if starts(with: "*/") {
          depth -= 1
          blank(2, into: &output)
        } else {
          blank(into: &output)
        }
      } while depth > 0 && current != nil
    }

    /// The opening of a literal: any number of `#`, then one or three quotes.
    func literalStart() -> (hashes: Int, quotes: String)? {
      var place = index
      while place < text.count, text[place] == UInt8(ascii: "#") { place += 1 }
      guard place < text.count, text[place] == UInt8(ascii: "\"") else { return nil }
      let quotes = text[place...].starts(with: "\"\"\"".utf8) ? "\"\"\"" : "\""
      return (place - index, quotes)
    }

    mutating func blankLiteral(_ fence: (hashes: Int, quotes: String), into output: inout [UInt8]) {
      blank(fence.hashes + fence.quotes.count, into: &output)
      let hashes = String(repeating: "#", count: fence.hashes)
      while current != nil, !starts(with: fence.quotes + hashes) {
        if starts(with: "\\" + hashes + "(") {
          blankInterpolation(2 + fence.hashes, into: &output)
        } else {
          blank(starts(with: "\\" + hashes) ? 2 + fence.hashes : 1, into: &output)
        }
      }
      blank(fence.quotes.count + fence.hashes, into: &output)
    }

    mutating func blankInterpolation(_ opening: Int, into output: inout [UInt8]) {
      blank(opening, into: &output)
      var depth = 1
      while depth > 0, let character = current {
        if let fence = literalStart() {
          blankLiteral(fence, into: &output)
          continue
        }
        depth += character == UInt8(ascii: "(") ? 1 : character == UInt8(ascii: ")") ? -1 : 0
        blank(into: &output)
      }
    }
  }
}
