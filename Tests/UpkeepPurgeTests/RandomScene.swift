import DatabaseFixture
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

@testable import UpkeepPurge

/// Tables of any kind that refer to each other in any way, with rows in them, and rules for what goes; all from a seed.
struct RandomScene: Sendable {
  /// A column of a key.
  struct Key: Sendable {
    var name: String
    var isText = false
    var isCaseless = false
  }

  /// A reference: an edge of the plan, declared in the schema, by the task, or by both.
  struct Reference: Sendable {
    var columns: [String]
    var parent: Int
    /// What the schema says; nothing where it has no foreign key.
    var schemaAction: String?
    /// What the task says.
    var declared: EdgeAction?
    var isNotNull: Bool
    var isIndexed: Bool
    var isDeferred: Bool

    /// What becomes of a referring row.
    var action: EdgeAction {
      let action: EdgeAction =
        switch schemaAction {
        case "CASCADE": .delete
        case "SET NULL": .unlink
        default: .hold
        }
      let wanted = declared ?? action
      return wanted == .unlink && isNotNull ? .hold : wanted
    }
  }

  struct Table: Sendable {
    var name: String
    var keys: [Key]
    var hasRowNumber: Bool
    var isTimeGenerated = false
    var references: [Reference] = []
  }

  struct Row: Hashable, Sendable {
    var key: [DatabaseValue]
    var references: [[DatabaseValue]?]
    var isOld: Bool
    var isKept: Bool
  }

  var tables: [Table] = []
  var rows: [[Row]] = []
  /// The places of the rules' tables, and whether a rule selects all that nothing refers to.
  var rules: [(table: Int, isUnreferenced: Bool)] = []
  /// The places of tables whose kept rows are excepted.
  var excepted: [Int] = []
  var hasLog = false

  private static let names = [
    "t", "Select", "a b", "q\"t", "Ä", "ä", "upkeep_list_0", "c", "l", "\u{e9}", "stale", "it's",
  ]

  init(seed: UInt64) {
    let random = SeededRandom(seed: seed)
    var names = Self.names
    for _ in 0..<(1 + random.below(4)) {
      let name = names.remove(at: random.below(names.count))
      var keys = [Key(name: "id")]
      switch random.below(5) {
      case 0: keys = [Key(name: "a key", isText: true, isCaseless: random.below(2) == 0)]
      case 1: keys = [Key(name: "a", isText: true, isCaseless: random.below(3) == 0), Key(name: "b")]
      default: break
      }
      tables.append(
        Table(
          name: name, keys: keys, hasRowNumber: random.below(3) > 0, isTimeGenerated: random.below(6) == 0))
    }
    for number in 0..<(1 + random.below(2 * tables.count + 1)) {
      addReference(number, random)
    }
    fill(random)
    for _ in 0..<(1 + random.below(3)) {
      rules.append((random.below(tables.count), random.below(5) == 0))
    }
    if random.below(2) == 0 { excepted = [random.below(tables.count)] }
    if random.below(8) == 0 { excepted.append(random.below(tables.count)) }
    excepted = Array(Set(excepted)).sorted()
    hasLog = random.below(3) == 0
  }

  private mutating func addReference(_ number: Int, _ random: SeededRandom) {
    let (child, parent) = (random.below(tables.count), random.below(tables.count))
    let columns = tables[parent].keys.indices.map { random.below(4) == 0 ? "Ref \(number).\($0)" : "r\(number)_\($0)" }
    var reference = Reference(
      columns: columns, parent: parent,
      schemaAction: random.pick(["CASCADE", "CASCADE", "SET NULL", "NO ACTION", "RESTRICT", "SET DEFAULT"]),
      declared: nil, isNotNull: random.below(5) == 0, isIndexed: random.below(3) > 0, isDeferred: random.below(3) == 0)
    switch random.below(6) {
    case 0: reference.declared = random.pick([.delete, .unlink, .hold])
    case 1: (reference.schemaAction, reference.declared) = (nil, random.pick([.delete, .unlink, .hold]))
    default: break
    }
    tables[child].references.append(reference)
  }

  private mutating func fill(_ random: SeededRandom) {
    let counts = tables.map { _ in random.below(14) }
    rows = tables.indices.map { table in
      (0..<counts[table]).map { number in
        Row(
          key: tables[table].keys.enumerated().map { index, key in
            key.isText ? .text("k\(number / (index + 1))x") : .integer(Int64(number))
          },
          references: [], isOld: random.below(3) > 0, isKept: random.below(8) == 0)
      }
    }
    for (index, table) in tables.enumerated() {
      // A row that can't refer to anything can't be.
      guard table.references.allSatisfy({ !$0.isNotNull || counts[$0.parent] > 0 }) else { continue }
      for row in rows[index].indices {
        rows[index][row].references = table.references.map { reference in
          let parents = rows[reference.parent]
          guard !parents.isEmpty, reference.isNotNull || random.below(4) > 0 else { return nil }
          // Mostly the row before, so that there are chains, and now and then itself or any other.
          let near = (row + parents.count - 1) % parents.count
          let target = parents[random.below(3) == 0 ? random.below(parents.count) : near].key
          return zip(target, tables[reference.parent].keys).map { value, key in
            guard key.isCaseless, random.below(2) == 0, case .text(let text) = value else { return value }
            return .text(text.uppercased())
          }
        }
      }
    }
    // Where a reference may not be NULL and its table is empty, so is the one that refers, and so on.
    var isStable = false
    while !isStable {
      isStable = true
      for (index, table) in tables.enumerated() where !rows[index].isEmpty {
        if table.references.contains(where: { $0.isNotNull && rows[$0.parent].isEmpty }) {
          rows[index] = []
          isStable = false
        }
      }
    }
    for (index, table) in tables.enumerated() {
      for row in rows[index].indices {
        for (place, reference) in table.references.enumerated() where rows[reference.parent].isEmpty {
          if row < rows[index].count, place < rows[index][row].references.count {
            rows[index][row].references[place] = nil
          }
        }
        if rows[index][row].references.isEmpty {
          rows[index][row].references = table.references.map { _ in nil }
        }
      }
    }
  }
}

extension RandomScene {
  /// The statements that make the tables and fill them.
  var statements: [String] {
    var statements = ["PRAGMA foreign_keys = OFF"]
    for (index, table) in tables.enumerated() {
      let name = SQL.quoted(table.name)
      var parts = table.keys.map { key in
        "\(SQL.quoted(key.name)) \(key.isText ? "TEXT" : "INTEGER")\(key.isCaseless ? " COLLATE NOCASE" : "")"
      }
      parts.append(
        table.isTimeGenerated ? "old INTEGER, at TEXT AS (CASE old WHEN 1 THEN '2026-10-01' END)" : "at TEXT")
      parts.append("keep INTEGER")
      for reference in table.references {
        for (column, key) in zip(reference.columns, tables[reference.parent].keys) {
          parts.append(
            "\(SQL.quoted(column)) \(key.isText ? "TEXT" : "INTEGER")\(reference.isNotNull ? " NOT NULL" : "")")
        }
      }
      parts.append("PRIMARY KEY (\(SQL.list(table.keys.map(\.name))))")
      for reference in table.references {
        guard let action = reference.schemaAction else { continue }
        let parent = tables[reference.parent]
        parts.append(
          "FOREIGN KEY (\(SQL.list(reference.columns))) REFERENCES \(SQL.quoted(parent.name))"
            + "(\(SQL.list(parent.keys.map(\.name)))) ON DELETE \(action)"
            + (reference.isDeferred ? " DEFERRABLE INITIALLY DEFERRED" : ""))
      }
      statements.append(
        "CREATE TABLE \(name)(\(parts.joined(separator: ", ")))\(table.hasRowNumber ? "" : " WITHOUT ROWID")")
      for (number, reference) in table.references.enumerated() where reference.isIndexed {
        statements.append("CREATE INDEX ix_\(index)_\(number) ON \(name)(\(SQL.list(reference.columns)))")
      }
      if hasLog {
        statements.append(
          "CREATE TRIGGER log_\(index) AFTER DELETE ON \(name) BEGIN INSERT INTO log VALUES (\(index)); END")
      }
    }
    statements.insert(contentsOf: ["BEGIN"] + (hasLog ? ["CREATE TABLE log(name)"] : []), at: 1)
    for (index, table) in tables.enumerated() {
      for row in rows[index] {
        var columns = table.keys.map(\.name) + [table.isTimeGenerated ? "old" : "at", "keep"]
        var values = row.key.map(Self.literal)
        values.append(table.isTimeGenerated ? (row.isOld ? "1" : "0") : row.isOld ? "'2026-10-01'" : "'2026-11-19'")
        values.append(row.isKept ? "1" : "0")
        for (reference, value) in zip(table.references, row.references) {
          columns += reference.columns
          values += (value ?? reference.columns.map { _ in .null }).map(Self.literal)
        }
        statements.append(
          "INSERT INTO \(SQL.quoted(table.name))(\(SQL.list(columns))) VALUES (\(values.joined(separator: ", ")))")
      }
    }
    return statements + ["COMMIT"]
  }

  private static func literal(_ value: DatabaseValue) -> String {
    switch value {
    case .text(let text): "'\(text)'"
    case .integer(let number): "\(number)"
    default: "NULL"
    }
  }

  var deletionRules: [DeletionRule] {
    rules.map { rule in
      let name = tables[rule.table].name
      guard rule.isUnreferenced else { return .old(name) }
      return DeletionRule(name: name, table: name, condition: .always, timeColumn: "at", selectsUnreferenced: true)
    }
  }

  var edges: [DeletionEdge] {
    tables.flatMap { table in
      table.references.compactMap { reference in
        reference.declared.map {
          DeletionEdge(
            child: table.name, columns: reference.columns, parent: tables[reference.parent].name,
            parentColumns: tables[reference.parent].keys.map(\.name), action: $0)
        }
      }
    }
  }

  var exceptions: [RowException] {
    excepted.map { RowException(table: tables[$0].name, rows: .matching("keep = 1")) }
  }

  /// What the database holds, table by table, as ``rows`` has it, in the order of the keys.
  func read(_ fixture: PurgeFixture) async throws -> [[Row]] {
    var found: [[Row]] = []
    for table in tables {
      let columns = SQL.list(table.keys.map(\.name) + table.references.flatMap(\.columns))
      let time = "at IS NOT NULL AND at < '2026-11-06'"
      let rows = try await fixture.rows("SELECT \(time), keep, \(columns) FROM \(SQL.quoted(table.name))")
      found.append(
        rows.map { values in
          var rest = Array(values.dropFirst(2 + table.keys.count))
          return Row(
            key: Array(values[2..<(2 + table.keys.count)]),
            references: table.references.map { reference in
              let value = Array(rest.prefix(reference.columns.count))
              rest.removeFirst(reference.columns.count)
              return value.contains(.null) ? nil : value
            },
            isOld: values[0] == .integer(1), isKept: values[1] == .integer(1))
        })
    }
    return found.map(Self.sorted)
  }

  static func sorted(_ rows: [Row]) -> [Row] {
    rows.sorted { "\($0.key)" < "\($1.key)" }
  }
}
