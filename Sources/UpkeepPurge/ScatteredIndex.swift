import UpkeepCore
import UpkeepDatabase

/// The index in whose order rows are best deleted, where neighbouring rows of the table lie far apart in its indexes.
///
/// A short batch in the order of such a table changes nearly a page of an index for each row, and the next batch changes
/// the same pages again: many times what one large deletion writes. In the order of an index its own pages come one after
/// the other, and those of the indexes that run along with it: a row's times of creation and of completion, say. So the
/// order is the one in which a batch changes the fewest pages of all indexes together.
struct ScatteredIndex: Sendable {
  private static let rows = 1000
  private static let neighbours = 32
  /// Entries of an index that lie on one page, roughly.
  private static let page = 128
  /// Pages of all indexes for each row, above which the walk in slabs writes less.
  private static let enough = 0.6
  /// Pages of an index for each row, from which on its order may be better than the table's.
  private static let much = 0.2
  /// Rows below which the indexes stay small enough.
  private static let smallest: Int64 = 50_000

  /// The columns of the index, in its order.
  let columns: [String]

  /// Looks at doomed rows in the middle of the table, in its order and in that of each index; nothing where short batches
  /// in the order of the table change few pages.
  ///
  /// Makes a temporary table, which is gone afterwards.
  init?(_ pass: DeletionPass, _ condition: RowCondition, extent: RowExtent, on connection: any DatabaseConnection)
    throws
  {
    guard extent.rows >= Self.smallest else { return nil }
    let indexes = pass.table.indexes.filter { !$0.isPartial && !$0.columns.contains("") }
    guard !indexes.isEmpty else { return nil }
    let sample = Sample(pass, indexes.map(\.columns))
    try sample.make(condition, extent: extent, on: connection)
    let unordered = try sample.pages(inOrderOf: [], on: connection)
    var best = (pages: unordered.reduce(0, +), columns: [String]())
    if best.pages >= Self.enough {
      for (order, pages) in zip(sample.indexes, unordered) where pages >= Self.much {
        let ordered = try sample.pages(inOrderOf: order, upTo: best.pages, on: connection).reduce(0, +)
        if ordered < best.pages { best = (ordered, order) }
      }
    }
    try sample.drop(on: connection)
    guard !best.columns.isEmpty else { return nil }
    columns = best.columns
  }

  /// Doomed rows that follow each other in the table, as many as a slab has, with what its indexes hold of them.
  private struct Sample {
    private let table: String
    private let number: String
    private let name: String
    private var run: String { name + "_run" }
    let indexes: [[String]]
    /// Each column of an index once.
    private let columns: [String]

    init(_ pass: DeletionPass, _ indexes: [[String]]) {
      (table, number) = (SQL.quoted(pass.table.name), pass.rowNumber)
      name = "temp.\(pass.prefix)sample_\(pass.id)"
      self.indexes = indexes
      columns = indexes.joined().reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    func make(_ condition: RowCondition, extent: RowExtent, on connection: any DatabaseConnection) throws {
      let copies = columns.map { "t.\(SQL.quoted($0))" }.joined(separator: ", ")
      var sql = SQL("INSERT INTO \(name) SELECT t.\(number), \(copies) FROM \(table) t NOT INDEXED WHERE ", reserved: 2)
      sql += "t.\(number) >= ?1 AND "
      sql.add(condition, of: "t", scanning: true)
      sql += " ORDER BY t.\(number) LIMIT ?2"
      let definition = columns.indices.map { ", c\($0)" }.joined()
      try connection.execute("CREATE TABLE IF NOT EXISTS \(name) (r INTEGER PRIMARY KEY\(definition))")
      try connection.execute("CREATE TABLE IF NOT EXISTS \(run) (r INTEGER PRIMARY KEY)")
      try connection.execute("DELETE FROM \(name)")
      let values: [DatabaseValue] = [.integer(extent.quarter(1)), .integer(SlabBatches.size(for: extent.rows))]
      try connection.execute(sql.text, values + sql.values)
    }

    func drop(on connection: any DatabaseConnection) throws {
      for table in [name, run] { try connection.execute("DROP TABLE \(table)") }
    }

    /// Pages of each index that rows which follow each other in an order change, for each row.
    ///
    /// - Parameters:
    ///   - order: The columns of an index; none for the order of the table.
    ///   - most: Where all together are more than that, the last indexes may be left out.
    func pages(inOrderOf order: [String], upTo most: Double = .infinity, on connection: any DatabaseConnection) throws
      -> [Double]
    {
      let count = try connection.integer("SELECT count(*) FROM \(name)")
      try connection.execute("DELETE FROM \(run)")
      try connection.execute(
        "INSERT INTO \(run) SELECT r FROM \(name) ORDER BY \(copies(order)) LIMIT ?1 OFFSET ?2",
        [.integer(Int64(ScatteredIndex.rows)), .integer(count / 2)])
      var (found, sum) = ([Double](), 0.0)
      for index in indexes where sum <= most {
        found.append(try pages(of: index, on: connection))
        sum += found.last ?? 0
      }
      return found
    }

    /// Pages of an index for each row of the run: how many of its entries lie between two neighbours of the run.
    private func pages(of index: [String], on connection: any DatabaseConnection) throws -> Double {
      let width = index.count + 1
      let entries = try connection.map(
        "SELECT \(copies(index)) FROM \(run) JOIN \(name) USING (r) "
          + "WHERE \(copies(index, " IS NOT NULL AND ")) IS NOT NULL ORDER BY \(copies(index))"
      ) { row in (0..<width).map { row[$0] } }
      // Entries with the same columns follow each other by the row's number; SQLite searches for that only where the
      // columns are asked for by `=`.
      let (names, columns) = (index.map(SQL.quoted), index.indices)
      let alike = "\(columns.map { "\(names[$0]) = ?\($0 + 1)" }.joined(separator: " AND "))"
      let same = "\(alike) AND \(number) >= ?\(width) AND \(number) < ?\(2 * width)"
      func tuple(_ items: [String]) -> String { items.count == 1 ? items[0] : "(\(items.joined(separator: ", ")))" }
      let from = "\(tuple(names)) >= \(tuple(columns.map { "?\($0 + 1)" }))"
      let apart = "\(from) AND \(tuple(names)) < \(tuple(columns.map { "?\($0 + width + 1)" }))"
      var (looks, found) = (0, 0)
      for position in stride(
        from: 0, to: entries.count - 1, by: max(1, entries.count / ScatteredIndex.neighbours))
      {
        let (entry, next) = (entries[position], entries[position + 1])
        let condition = entry.dropLast() == next.dropLast() ? same : apart
        looks += 1
        found += Int(
          try connection.integer(
            "SELECT count(*) FROM (SELECT 1 FROM \(table) WHERE \(condition) LIMIT \(ScatteredIndex.page))",
            entry + next))
      }
      return looks == 0 ? 0 : Double(found) / Double(looks) / Double(ScatteredIndex.page)
    }

    private func copies(_ index: [String], _ separator: String = ", ") -> String {
      (index.map { "c\(columns.firstIndex(of: $0) ?? 0)" } + ["r"]).joined(separator: separator)
    }
  }
}
