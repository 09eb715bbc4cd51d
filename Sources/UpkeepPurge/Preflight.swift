import UpkeepCore
import UpkeepDatabase

/// Looks at the plans of a batch's statements before the first batch: a statement that reads a whole large table would
/// do so for every batch, under the write lock.
enum Preflight {
  /// Rows from which a table is large.
  static let large = 10_000

  /// Has the engine explain every statement afresh.
  ///
  /// The engine's own look-ups for foreign keys stand in the plan as well. An index that it would make for one execution
  /// is a scan, too.
  /// - Throws: ``UpkeepCore/TaskError`` with code `full_scan` that names the table and the statement.
  static func check(
    _ statements: [String], _ catalogue: Catalogue, on connection: any DatabaseConnection
  ) throws {
    for statement in statements {
      let plan = try connection.map("EXPLAIN QUERY PLAN \(statement)") { $0[3].text ?? "" }
      for line in plan {
        guard let read = readWhole(line) else { continue }
        for name in tables(called: read, in: statement, catalogue) where try isLarge(name, on: connection) {
          throw TaskError(
            code: "full_scan", place: "table \(name)",
            problem: "SQLite would read all of it for each batch (\(line)) in: \(statement.prefix(300))",
            fix: fix(name, catalogue))
        }
      }
    }
  }

  /// Whether a scan of a table for each batch costs too much.
  static func isLarge(_ table: String, on connection: any DatabaseConnection) throws -> Bool {
    try connection.integer("SELECT count(*) FROM (SELECT 1 FROM \(SQL.quoted(table)) LIMIT \(large)) AS found") >= large
  }

  /// What a line of a plan says is read whole, and whatever else the line says.
  private static func readWhole(_ line: String) -> Substring? {
    if line.hasPrefix("SCAN ") { return line.dropFirst(5) }
    return line.hasPrefix("SEARCH ") && line.contains(" USING AUTOMATIC ") ? line.dropFirst(7) : nil
  }

  private static func fix(_ table: String, _ catalogue: Catalogue) -> String {
    let missing = DeletionGraph(catalogue, declared: []).missingIndexes(of: table)
    guard !missing.isEmpty else { return "create an index that fits the statement, or run ANALYZE if there is one" }
    return "create the index that is missing: \(missing.joined(separator: "; "));"
  }

  /// The tables of the database that stand behind a name in a plan, which is an alias where the statement gives one.
  ///
  /// A name may stand for several tables in one statement, and a name with a blank in it isn't marked as such in a plan:
  /// then each of them counts. Temporary tables are the program's own.
  private static func tables(called text: Substring, in statement: String, _ catalogue: Catalogue) -> [String] {
    let words = words(statement)
    var found: [String] = []
    for (index, word) in words.enumerated() {
      let before = index > 0 && !words[index - 1].isQuoted ? words[index - 1].text : ""
      let isNamed = ["FROM", "JOIN", "INTO", "UPDATE", ","].contains(before)
      guard isNamed, let table = catalogue[word.text] else { continue }
      if index + 1 < words.count, words[index + 1].text == "." { continue }
      var next = index + 1
      if next < words.count, !words[next].isQuoted, words[next].text.uppercased() == "AS" { next += 1 }
      let isAliased = next < words.count && words[next].isName
      let name = isAliased ? words[next].text : word.text
      if text == name || text.hasPrefix("\(name) ") { found.append(table.name) }
    }
    // What a foreign key has SQLite look up stands in no statement.
    let isTemporary = words.indices.dropFirst(2).contains { index in
      words[index - 1].text == "." && words[index - 2].text == "temp" && text.hasPrefix(words[index].text)
    }
    guard found.isEmpty, !isTemporary else { return found }
    return catalogue.tables.map(\.name).filter { text == $0 || text.hasPrefix("\($0) ") }
  }

  private struct Word {
    var text: String
    var isQuoted = false

    /// Whether it may be an alias: a word of the language can't.
    var isName: Bool {
      isQuoted || (text.first?.isLetter == true || text.first == "_") && text != text.uppercased()
    }
  }

  /// The words and signs of a statement of this program; what stands in quotes is one word.
  private static func words(_ statement: String) -> [Word] {
    var words: [Word] = []
    var rest = statement.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      if scalar == "\"" || scalar == "'" {
        var text = String.UnicodeScalarView()
        while let next = rest.popFirst() {
          if next == scalar {
            guard rest.first == scalar else { break }
            rest.removeFirst()
          }
          text.append(next)
        }
        words.append(Word(text: String(text), isQuoted: true))
      } else if scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
        var text = String.UnicodeScalarView([scalar])
        while let next = rest.first,
          next == "_" || next.properties.isAlphabetic || next.properties.numericType != nil
        {
          text.append(rest.removeFirst())
        }
        words.append(Word(text: String(text)))
      } else if scalar != " " {
        words.append(Word(text: String(scalar)))
      }
    }
    return words
  }
}
