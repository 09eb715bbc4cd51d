/// Finds tests that never run since nobody wrote `@Test` before them.
enum TestGuard {
  /// Functions of a test file that look like tests and have no `@Test`.
  ///
  /// A function looks like one when it isn't `private`, `fileprivate` or `static` and either stands in a type that has
  /// tests, or takes nothing and expects something. What helps tests is private, or lives in a type of its own.
  static func violations(in source: String, at path: String) -> [Violation] {
    let lines = SwiftCode(source).lines
    return lines.enumerated().compactMap { index, line in
      guard line.contains("func "),
        let match = line.firstMatch(of: /^( {0,2})((?:[@\w().]+ +)*)func (\w+)(?:<[^>]*>)?\((\)?)/)
      else {
        return nil
      }
      let modifiers = match.2
      guard !modifiers.contains(/\b(?:private|fileprivate|static|override)\b/) else { return nil }
      guard !isMarked(lines, index, indentation: match.1.count) else { return nil }
      let expects = body(lines, index, indentation: match.1.count).contains {
        $0.contains("#expect") || $0.contains("#require")
      }
      guard match.1.count == 2 && isInSuite(lines, index) || !match.4.isEmpty && expects else { return nil }
      return Violation(path: path, line: index + 1, message: "\(match.3)() has no @Test and would never run")
    }
  }

  /// Whether the type around a line has tests.
  private static func isInSuite(_ lines: [String], _ index: Int) -> Bool {
    let start = lines[..<index].lastIndex { $0.hasPrefix("}") } ?? lines.startIndex
    let end = lines[index...].firstIndex { $0.hasPrefix("}") } ?? lines.endIndex
    return lines[start..<end].contains { $0.contains("@Test") }
  }

  /// Whether a test file holds any test at all.
  static func hasTest(_ source: String) -> Bool {
    SwiftCode(source).text.contains("@Test")
  }

  /// Whether `@Test` stands on the function's line, or before it without another declaration between.
  private static func isMarked(_ lines: [String], _ index: Int, indentation: Int) -> Bool {
    if lines[index].contains("@Test") { return true }
    for line in lines[..<index].reversed() {
      if line.contains("@Test") { return true }
      // A line of nothing but a literal is blanked, not empty; an empty one ends the declaration.
      if line.contains("func ") || line.isEmpty { return false }
      if line.hasPrefix(String(repeating: " ", count: indentation) + "}") { return false }
    }
    return false
  }

  private static func body(_ lines: [String], _ index: Int, indentation: Int) -> ArraySlice<String> {
    if lines[index].hasSuffix("}") { return lines[index...index] }
    let end = String(repeating: " ", count: indentation) + "}"
    let last = lines[(index + 1)...].firstIndex { $0.hasPrefix(end) } ?? lines.endIndex - 1
    return lines[index...last]
  }
}
