public import UpkeepCore
public import UpkeepDatabase
import UpkeepPurge

/// What a look at a table says about how old its rows are: what a rule is proposed from.
public struct TableSurvey: Hashable, Sendable {
  /// The table.
  public var table: String
  /// How many rows it has.
  public var rows: Int
  /// The column with the time of a row; nothing where none was found.
  public var timeColumn: String?
  /// How that column holds times; nothing where it holds no value.
  public var form: TimeForm?
  /// The oldest time.
  public var oldest: Timestamp?
  /// The newest time.
  public var newest: Timestamp?
  /// How many rows are older than each of ``TableSurvey/ages``.
  public var older: [Int] = []
  /// The statement that makes the index that a rule would use; nothing where there is one.
  public var missingIndex: String?
  /// What becomes of the rows that refer to its own.
  public var references: TableReferences

  /// Below so many rows reading the whole table is as good as an index.
  private static let worthAnIndex = 1000

  /// The ages that rows are counted by, in days.
  public static let ages = [30, 90]

  /// Looks at every table of a database, on a connection that can't write.
  ///
  /// - Parameter now: What ages are counted from.
  /// - Throws: ``UpkeepCore/TaskError`` where the file is missing, is no database, or can't be read.
  public static func survey(_ database: any Database, now: Timestamp) async throws -> [TableSurvey] {
    let session = try await database.open(.read, purpose: "upkeep/init")
    do {
      let found = try await session.transaction(.read) { connection in
        let catalogue = try Catalogue(sqlite: connection)
        let graph = DeletionGraph(catalogue, declared: [])
        return try inOrderOfDeletion(catalogue).filter { !$0.isVirtual }.map {
          try TableSurvey($0, graph, now: now, on: connection)
        }
      }
      await session.close()
      return found
    } catch {
      await session.close()
      throw error
    }
  }

  /// The tables, those first that refer to others: a rule then finds what it takes free of what an earlier one took, so that
  /// a second run has nothing left to do.
  private static func inOrderOfDeletion(_ catalogue: Catalogue) -> [TableDescription] {
    var (rest, found) = (catalogue.tables, [TableDescription]())
    while !rest.isEmpty {
      let names = Set(rest.map(\.name.schemaKey))
      let free = rest.firstIndex { table in
        !catalogue.foreignKeys.contains { key in
          key.parent.schemaKey == table.name.schemaKey && key.child.schemaKey != table.name.schemaKey
            && names.contains(key.child.schemaKey)
        }
      }
      // Where they refer to each other in a ring any of them may be the first.
      found.append(rest.remove(at: free ?? 0))
    }
    return found
  }

  private init(
    _ table: TableDescription, _ graph: DeletionGraph, now: Timestamp, on connection: any DatabaseConnection
  ) throws {
    self.table = table.name
    references = TableReferences(to: table.name, graph)
    let column = try TimeColumnChoice.best(of: table, on: connection)
    let form = column?.form ?? .text
    let item = try Statistics.Item(table: table, timeColumn: column?.name, form: form, on: connection)
    rows = item.count
    guard let column else { return }
    timeColumn = column.name
    self.form = column.form
    (oldest, newest) = (item.oldest, item.newest)
    let (name, value) = (SQLName.quoted(table.name), SQLName.quoted(column.name))
    older = try Self.ages.map { days in
      let cutoff = now - .seconds(days * 86_400)
      let sql = "SELECT count(*) FROM \(name) WHERE \(value) < ?1 AND upkeep_instant(\(value), \(form.code)) < ?2"
      return Int(try connection.integer(sql, [form.bound(before: cutoff), .integer(cutoff.microseconds)]))
    }
    if !column.isIndexed, rows >= Self.worthAnIndex {
      let index = SQLName.quoted("ix_\(table.name)_\(column.name)")
      missingIndex = "CREATE INDEX \(index) ON \(name) (\(value))"
    }
  }
}

/// A column that may hold the times of rows.
struct TimeColumnChoice {
  var name: String
  var form: TimeForm?
  var isIndexed: Bool
  private var rank: Int

  /// Parts of names, those first that say when a row came to be.
  private static let names = [
    ["creat", "captur", "record", "insert", "logged", "occur", "taken", "receiv", "added", "posted", "sent", "ingest"],
    ["timestamp", "datetime"], ["start", "began", "begin"], ["updat", "modif", "chang", "seen"],
    ["finish", "complet", "ended", "closed", "processed"],
  ]
  /// Names of a time as such, and ends of names.
  private static let words: Set<String> = ["ts", "time", "date", "when", "day", "at"]
  private static let ends = ["_at", "_on", "_ts", "_time", "_date", "_day", "At", "On", "Time", "Date"]
  /// Parts of the names of times that say nothing of a row's age: they lie ahead, or before its time.
  private static let others = ["expir", "due", "until", "next", "birth", "schedul", "deadline", "kickoff", "valid"]

  /// The best column of a table: one that says when a row came to be rather than another, an indexed one first.
  static func best(of table: TableDescription, on connection: any DatabaseConnection) throws -> TimeColumnChoice? {
    var best: TimeColumnChoice?
    for column in table.columns {
      let rank = rank(of: column)
      let sample = try TimeSample(of: column.name, in: table, on: connection)
      guard let form = try? sample.form(place: "", column: column.name) else {
        // A column without values is one by its name alone.
        guard sample.count == 0, rank < unnamed else { continue }
        choose(TimeColumnChoice(name: column.name, isIndexed: table.hasIndex(on: [column.name]), rank: rank + 100))
        continue
      }
      // A number without a telling name may be anything; a text that reads as a date is one.
      guard rank < unnamed || form == .text else { continue }
      choose(
        TimeColumnChoice(name: column.name, form: form, isIndexed: table.hasIndex(on: [column.name]), rank: rank))
    }
    func choose(_ choice: TimeColumnChoice) {
      if let found = best, found.order <= choice.order { return }
      best = choice
    }
    return best
  }

  /// What comes first: values before none and names of the past before others, then an index, then the name.
  private var order: (Int, Int, Int) {
    (rank / 10, isIndexed ? 0 : 1, rank)
  }

  private static let unnamed = 20

  private static func rank(of column: ColumnDescription) -> Int {
    let name = column.name.lowercased()
    if others.contains(where: name.contains) { return 10 }
    if let index = names.firstIndex(where: { $0.contains(where: name.contains) }) { return index }
    if words.contains(name) { return 1 }
    if ends.contains(where: { column.name.hasSuffix($0) }) { return 5 }
    let type = column.type.uppercased()
    return type.contains("DATE") || type.contains("TIME") ? 6 : unnamed
  }
}
