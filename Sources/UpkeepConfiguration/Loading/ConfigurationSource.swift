import UpkeepCore

/// The text of a configuration file, to show problems in, and what of it must not be shown.
public struct ConfigurationSource: Sendable {
  /// The file, as it was given.
  public let path: String
  let text: SourceText
  /// Where secrets stand.
  var secretRanges: [SourceRange] = []
  /// Names of keys whose values are hidden where the file couldn't be read as YAML, so that places aren't known.
  var guessedSecrets: [String] = []

  init(path: String, text: SourceText) {
    self.path = path
    self.text = text
  }

  /// The SHA-256 hash of the bytes, in hexadecimal digits.
  public var hash: String { ContentHash.of(text.bytes) }

  /// The whole text with its secrets masked.
  public var maskedText: String {
    (1...text.lineStarts.count).compactMap { maskedLine($0)?.text }.joined(separator: "\n")
  }

  /// A line with its secrets masked.
  ///
  /// - Returns: The line, and for each of its characters (and the end) where that character stands in the masked line.
  func maskedLine(_ number: Int) -> (text: String, columns: [Int])? {
    guard let line = text.line(number) else { return nil }
    let scalars = Array(
      number == 1 && line.first == "\u{FEFF}" ? line.dropFirst().unicodeScalars : line.unicodeScalars[...])
    var hidden = [Bool](repeating: false, count: scalars.count)
    for range in secretRanges where range.start.line <= number && number <= range.end.line {
      let start = range.start.line == number ? range.start.column - 1 : indentation(scalars)
      let end = range.end.line == number ? range.end.column - 1 : scalars.count
      for index in max(0, start)..<max(max(0, start), min(end, scalars.count)) { hidden[index] = true }
    }
    for stretch in Secret.passwords(in: scalars) + guesses(scalars) {
      for index in stretch { hidden[index] = true }
    }
    var text = String.UnicodeScalarView()
    var columns: [Int] = []
    for (index, scalar) in scalars.enumerated() {
      if !hidden[index] {
        columns.append(text.count)
        text.append(scalar)
      } else if index == 0 || !hidden[index - 1] {
        columns.append(text.count)
        text.append(contentsOf: Secret.mask.unicodeScalars)
      } else {
        columns.append(columns.last ?? 0)
      }
    }
    columns.append(text.count)
    return (String(text), columns)
  }

  private func indentation(_ scalars: [Unicode.Scalar]) -> Int {
    scalars.firstIndex { $0 != " " } ?? scalars.count
  }

  private func guesses(_ scalars: [Unicode.Scalar]) -> [Range<Int>] {
    guessedSecrets.compactMap { key in
      let name = Array("\(key):".unicodeScalars)
      let start = scalars.indices.first { start in
        scalars[start...].starts(with: name) && (start == 0 || !scalars[start - 1].properties.isAlphabetic)
      }
      guard let start else { return nil }
      let value = scalars[(start + name.count)...].firstIndex { $0 != " " } ?? scalars.count
      return value..<scalars.count
    }
  }
}
