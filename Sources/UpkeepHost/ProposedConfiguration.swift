public import UpkeepCore
import UpkeepDatabase
import TableRetentionPlugin

/// A configuration for one database, with a rule proposed for each table with a time column, commented out.
public struct ProposedConfiguration: Sendable {
  /// The YAML.
  public let text: String
  /// How many rules it proposes.
  public let rules: Int

  /// Looks at a database, read-only.
  ///
  /// - Parameters:
  ///   - file: The database as it was given.
  ///   - path: The same as the configuration will name it.
  ///   - now: What ages are counted from.
  /// - Throws: ``UpkeepCore/TaskError`` where the file is missing, is no database, or can't be read.
  public init(for file: String, namedAs path: String, now: Timestamp) async throws {
    let name = Self.name(of: file)
    let tables = try await TableSurvey.survey(SQLiteDatabase(name: name, path: file), now: now)
    let (timed, others) = (tables.filter { $0.timeColumn != nil }, tables.filter { $0.timeColumn == nil })
    rules = timed.count
    text = Self.head(name, path) + Self.others(others) + Self.tasks(timed, name)
  }

  private static func head(_ name: String, _ path: String) -> String {
    """
    # Upkeep's configuration. Every key but a task's database has a default.
    #   upkeep validate --live    checks this file and the databases it names
    #   upkeep describe task      lists every key that a task may have; describe host, describe table_retention …
    #   upkeep schema > upkeep.schema.json    lets an editor complete and check:
    # yaml-language-server: $schema=./upkeep.schema.json
    version: 1

    host:
      # Run history, leases and pauses: a path, relative to this file. Its folder must exist.
      state: upkeep.sqlite

    databases:
      \(name): { sqlite: \(YAMLText.quoted(path)) }

    tasks:
      # Removes old records from the history of runs: host: history: { keep: 90d, keep_failures: 365d }
      run_history:
        interval: 24h

    """
  }

  private static func tasks(_ tables: [TableSurvey], _ name: String) -> String {
    guard !tables.isEmpty else { return "" }
    var lines = [
      "table_retention:", "  interval: 24h", "  settings:", "    database: \(name)", "    rules:",
    ]
    for table in tables { lines += rule(table).map { "      \($0)" } }
    let intro = """

        # Removes old rows, by the rules below: one is proposed for each table in which a time column was found.
        # Delete those that you don't want, look at each keep, take away the first "# " of every line that follows this
        # one, up to the next empty line, and then: upkeep preview table_retention

      """
    return intro + lines.map { "  # \($0)\n" }.joined()
  }

  private static func rule(_ table: TableSurvey) -> [String] {
    var lines = ["# \(counts(table))"]
    if let statement = table.missingIndex {
      lines.append("# without an index each run reads the whole table once: \(YAMLText.oneLine(statement))")
    }
    lines += references(table.references)
    lines.append("- table: \(YAMLText.scalar(table.table))")
    lines.append("  time_column: \(YAMLText.scalar(table.timeColumn ?? ""))")
    if let form = table.form, form != .text { lines.append("  time_format: \(form.rawValue)") }
    return lines + ["  keep: 90d"]
  }

  /// What a rule does beyond its own table is nothing that its keys say.
  private static func references(_ found: TableReferences) -> [String] {
    [
      ("what refers to its rows goes along, however young (ON DELETE CASCADE): rows of", found.goingAlong),
      ("what refers to its rows loses the reference (ON DELETE SET NULL): rows of", found.losing),
      ("a row stays while one refers to it, or to what goes along with it: rows of", found.keeping),
    ].compactMap { text, tables in
      guard !tables.isEmpty else { return nil }
      return "# \(text) " + tables.map { YAMLText.oneLine(YAMLText.scalar($0)) }.joined(separator: ", ")
    }
  }

  private static func counts(_ table: TableSurvey) -> String {
    var text = table.rows == 1 ? "1 row" : "\(grouped(table.rows)) rows"
    guard let oldest = table.oldest, let newest = table.newest else { return text + ", without a time so far" }
    text += ", \(oldest.dateText) to \(newest.dateText)"
    for (age, count) in zip(TableSurvey.ages, table.older) {
      text += "; \(grouped(count)) older than \(age) days"
    }
    return text
  }

  private static func others(_ tables: [TableSurvey]) -> String {
    guard !tables.isEmpty else { return "" }
    let list = tables.map { "  #   \(YAMLText.oneLine(YAMLText.scalar($0.table))): \(grouped($0.rows))\n" }.joined()
    return "\n  # No time column was found in these tables, with so many rows (keep_rows needs none):\n\(list)"
  }

  private static func grouped(_ number: Int) -> String {
    var digits = String(number)
    var index = digits.count - 3
    while index > 0 {
      digits.insert(",", at: digits.index(digits.startIndex, offsetBy: index))
      index -= 3
    }
    return digits
  }

  /// A name for the database, made of its file's.
  private static func name(of file: String) -> String {
    let last = file.split(separator: "/").last.map(String.init) ?? ""
    let stem = last.firstIndex(of: ".").map { String(last[..<$0]) } ?? last
    let plain = stem.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
    let name = String(plain.drop { $0 == "_" || $0.isNumber }.prefix(63))
    return TaskName.isValid(name) ? name : "app"
  }
}

/// Texts as they are written into YAML.
enum YAMLText {
  private static let words: Set<String> = ["null", "true", "false"]

  /// A text as a scalar that reads as this text: plain where it is an ordinary word.
  static func scalar(_ text: String) -> String {
    let plain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    let isWord = plain && text.first?.isNumber == false && !words.contains(text.lowercased())
    return isWord ? text : quoted(text)
  }

  /// A text in double quotes; a `${` stays one.
  static func quoted(_ text: String) -> String {
    var result = ""
    for scalar in text.replacing("${", with: "$${").unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\n": result += "\\n"
      case " "..."~", "\u{a0}"..."\u{2027}", "\u{2030}"..."\u{d7ff}", "\u{10000}"..."\u{10ffff}":
        result.unicodeScalars.append(scalar)
      default:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
      }
    }
    return "\"\(result)\""
  }

  /// A text for a comment: without anything that ends a line.
  static func oneLine(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          let isShown =
            scalar.value >= 32 && !(127...159).contains(scalar.value)
            && ![0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff].contains(scalar.value)
          return isShown ? scalar : " "
        }))
  }
}
