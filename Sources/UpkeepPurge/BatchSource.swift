import UpkeepCore
import UpkeepDatabase

/// The end of a batch, found before its transaction.
struct BatchBound: Sendable {
  /// The last row's number.
  var last: Int64
  /// How many rows of the driving table it has.
  var rows: Int
  var oldest: Timestamp?
  var newest: Timestamp?

  /// Takes in the part that follows.
  mutating func add(_ next: BatchBound) {
    last = next.last
    rows += next.rows
    oldest = [oldest, next.oldest].compactMap { $0 }.min()
    newest = [newest, next.newest].compactMap { $0 }.max()
  }

  init(last: Int64, rows: Int) {
    self.last = last
    self.rows = rows
  }

  init?(_ row: [DatabaseValue]?) {
    guard let row, let last = row[0].integer else { return nil }
    self.last = last
    rows = Int(row[1].integer ?? 0)
    oldest = row[2].integer.map { Timestamp(microseconds: $0) }
    newest = row[3].integer.map { Timestamp(microseconds: $0) }
  }
}

/// What a batch did; the driving table comes last.
struct BatchOutcome: Sendable {
  var tallies: [TableTally]
  var held = 0
  /// Rows of the rule's table that were struck off for an exception.
  var excepted = 0
  /// What is told of rows that were changed.
  var changed: [[DatabaseValue]] = []
  /// The partition that went, where that was all.
  var dropped: DroppedPartition?

  /// Takes in what the next part of the batch did.
  mutating func add(_ next: BatchOutcome) {
    held += next.held
    excepted += next.excepted
    changed += next.changed
    for tally in next.tallies {
      if let index = tallies.firstIndex(where: { $0.table == tally.table && $0.isUnlink == tally.isUnlink }) {
        tallies[index].rows += tally.rows
        tallies[index].oldest = [tallies[index].oldest, tally.oldest].compactMap { $0 }.min()
        tallies[index].newest = [tallies[index].newest, tally.newest].compactMap { $0 }.max()
      } else {
        // The driving table stays last.
        tallies.insert(tally, at: 0)
      }
    }
  }
}

/// Where batches come from.
protocol BatchSource: Sendable {
  /// Where the walk begins.
  var start: Int64 { get }
  /// A batch of about so many rows, in parts of which each can be deleted by itself: their ends; none at the end of the
  /// walk.
  func parts(after cursor: Int64, rows: Int, each part: Int, on connection: any DatabaseConnection) throws
    -> [BatchBound]
  /// Deletes a batch, within a transaction.
  func delete(after cursor: Int64, through last: Int64, on connection: any DatabaseConnection) throws -> BatchOutcome
  /// The texts of all statements of a batch, for the preflight.
  var statements: [String] { get }
  /// Whether all statements of a batch on a server must see the same rows: then a batch fails, and is tried again, where
  /// somebody has changed one of them meanwhile.
  var needsSnapshot: Bool { get }
}

extension BatchSource {
  var needsSnapshot: Bool { false }
}

/// Batches of rows that are counted off by one statement.
protocol CountedBatches: BatchSource {
  /// Finds the last of the `?2` rows that come after the number `?1`, as ``BatchBound/init(_:)`` reads it.
  var boundStatement: String { get }
}

extension CountedBatches {
  func bound(after cursor: Int64, rows: Int, on connection: any DatabaseConnection) throws -> BatchBound? {
    BatchBound(try connection.first(boundStatement, [.integer(cursor), .integer(Int64(rows))]))
  }

  func parts(after cursor: Int64, rows: Int, each part: Int, on connection: any DatabaseConnection) throws
    -> [BatchBound]
  {
    try parts(after: cursor, rows: rows, each: part) { try bound(after: $0, rows: $1, on: connection) }
  }
}

/// Batches that one statement deletes, from one table.
protocol PlainBatches: CountedBatches {
  /// Deletes the rows after the number `?1` up to `?2`.
  var deletion: SQL { get }
  /// The table, without rows so far.
  var tally: TableTally { get }
}

extension PlainBatches {
  var statements: [String] { [boundStatement, deletion.text] }

  func delete(after cursor: Int64, through last: Int64, on connection: any DatabaseConnection) throws -> BatchOutcome {
    var tally = tally
    tally.rows = try connection.execute(deletion.text, [.integer(cursor), .integer(last)] + deletion.values)
    return BatchOutcome(tallies: [tally])
  }
}
