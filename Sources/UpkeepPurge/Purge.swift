import CMemory
public import UpkeepCore
public import UpkeepDatabase

/// A purge of one database: counts what a plan would delete, or deletes it.
///
/// ```swift
/// try await Purge.with(database, for: .preview, in: context) { purge in
///   let graph = DeletionGraph(purge.catalogue, declared: edges)
///   try await purge.preview(DeletionPlan(rules, graph: graph), in: context)
/// }
/// ```
public struct Purge: Sendable {
  /// What a purge is opened for.
  public enum Purpose: Sendable {
    /// Counting, on a read-only connection.
    case preview
    /// Deleting, or changing rows.
    case deletion
  }

  /// The live schema.
  public let catalogue: Catalogue
  let session: any DatabaseSession
  /// Looks after the log of a deletion; nothing where there is none.
  let keeper: LogKeeper?
  let database: any Database
  let names: CountNames

  /// How counts are called.
  public struct CountNames: Sendable {
    private let deleted: [String: String]

    /// Names of counts by table, where they aren't `<table>_deleted`.
    public init(deleted: [String: String] = [:]) {
      self.deleted = deleted
    }

    func deleted(_ table: String) -> String {
      deleted[table] ?? "\(table)_deleted"
    }

    func unlinked(_ table: String) -> String {
      "\(table)_unlinked"
    }
  }

  /// The name of the database under `databases:`.
  public var databaseName: String { database.name }

  let meter = PurgeMeter()
  var bounds = PurgeBounds()

  /// Opens a database, reads its schema, and closes it again after `body`, whatever becomes of that.
  ///
  /// A deletion ends with a checkpoint, so that all that was counted survives a power cut before the run is recorded.
  public static func with<Value: Sendable>(
    _ database: any Database, for purpose: Purpose, names: CountNames = CountNames(), in context: TaskContext,
    _ body: (Purge) async throws -> Value
  ) async throws -> Value {
    let mode: SessionMode = purpose == .preview ? .read : .write(.normal)
    let session = try await database.open(mode, purpose: "upkeep/\(context.task)")
    var keeper: LogKeeper?
    let result: Result<Value, any Error>
    do {
      let catalogue = try await prepare(session, database, for: purpose, in: context)
      if purpose == .deletion, session.logState() != nil {
        keeper = LogKeeper(try await database.open(mode, purpose: "upkeep/\(context.task)"), clock: context.clock)
      }
      let purge = Purge(catalogue: catalogue, session: session, keeper: keeper, database: database, names: names)
      do {
        let value = try await body(purge)
        await keeper?.close()
        if purpose == .deletion { try await purge.finish(in: context) }
        result = .success(value)
      } catch {
        await keeper?.close()
        if purpose == .deletion { try? await purge.finish(in: context) }
        result = .failure(error)
      }
    } catch {
      result = .failure(error)
    }
    await session.close()
    // The pages of what comes next, the deletion behind its preview or the next task, would find their place beside these
    // otherwise, and beside the code that only this one needed.
    memory_trim()
    memory_release_program()
    return try result.get()
  }

  private static func prepare(
    _ session: any DatabaseSession, _ database: any Database, for purpose: Purpose, in context: TaskContext
  ) async throws -> Catalogue {
    guard database.engine == .sqlite else { return try await prepareServer(session) }
    return try await session.perform { connection in
      // Pages are kept so that batches find those of every index again; in KiB.
      try connection.execute("PRAGMA cache_size = -16000")
      // Lists of rows are searched again and again; what doesn't fit goes to a file.
      try connection.execute("PRAGMA temp.cache_size = -2000")
      if purpose == .deletion { _ = try connection.rows("PRAGMA wal_autocheckpoint = 0") }
      let journal = try connection.first("PRAGMA journal_mode")?[0].text ?? ""
      if journal != "wal" {
        context.warn(
          "database \(database.name) has journal mode \(journal): each batch is slower and keeps readers out, too; "
            + "the mode is left as it is (the application may set it: PRAGMA journal_mode = WAL)")
      }
      return try Catalogue(of: connection)
    }
  }

  /// Runs statements of the task's own, such as its bookkeeping, in one transaction, even when the run is cancelled: then
  /// it waits for somebody else's lock for a second at the most.
  public func record<Value: Sendable>(
    _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value {
    let session = session
    await shortenWaits()
    return try await Task { try await session.transaction(.write, body) }.value
  }

  /// Has a run that was told to stop wait for nobody's lock for long: it is to end within seconds.
  private func shortenWaits() async {
    guard Task.isCancelled, catalogue.engine == .sqlite else { return }
    let session = session
    await Task { _ = try? await session.perform { try $0.rows("PRAGMA busy_timeout = 1000") } }.value
  }

  /// Runs queries in one snapshot.
  public func read<Value: Sendable>(
    _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value {
    try await session.transaction(.read, body)
  }

  /// Makes what was committed durable, and says how the database stands.
  private func finish(in context: TaskContext) async throws {
    guard database.engine == .sqlite else { return await finishOnServer(in: context) }
    let session = session
    await shortenWaits()
    let (journal, size) = try await Task {
      let isDurable = try await session.perform { connection in
        // Busy, frames in the log, frames in the file; -1 where there is no log.
        let log = try connection.first("PRAGMA wal_checkpoint(PASSIVE)")?.map { $0.integer ?? -1 } ?? []
        if log.count == 3, log[0] == 0, log[1] >= 0, log[1] == log[2] { return true }
        try connection.execute("PRAGMA synchronous = EXTRA")
        return false
      }
      if !isDurable {
        // A reader kept the checkpoint from syncing the log, or the last rollback journal's removal isn't synced: one
        // more commit, which changes nothing, takes all before it with it to the disk.
        try await session.transaction(.write) { connection in
          _ = try connection.execute("PRAGMA user_version = \(try connection.integer("PRAGMA user_version"))")
        }
      }
      return try await session.perform { connection in
        (
          try connection.first("PRAGMA journal_mode")?[0].text ?? "",
          try ["page_size", "page_count", "freelist_count"].map { try connection.integer("PRAGMA \($0)") }
        )
      }
    }.value
    let figures = meter.figures
    context.detail(
      "database",
      [
        "name": .string(database.name), "journal_mode": .string(journal), "bytes": .integer(Int(size[0] * size[1])),
        "free_bytes": .integer(Int(size[0] * size[2])),
        "longest_hold_ms": .tenths(figures.longestHold.inSeconds * 1000),
        "rows_per_second": .integer(figures.rowsPerSecond),
      ])
  }

  /// Says which indexes would spare the purge a scan.
  ///
  /// Only tables of at least a thousand rows are named: below that a scan is as good.
  func warnOfMissingIndexes(_ step: DeletionPlan.Step, graph: DeletionGraph, in context: TaskContext) async throws {
    var wanted: [(table: String, text: String)] = []
    for pass in step.passes {
      for edge in pass.edges where !graph.isIndexed(edge) {
        let text = "\(edge.child) has no index on \(edge.columns.joined(separator: ", ")), by which it refers to "
        // What a foreign key has a server look up, it looks up for each deleted row by itself.
        let how =
          catalogue.engine == .postgres && graph.isDeclared(edge)
          ? "the server reads all of it for each deleted row" : "one pass over it is made instead"
        wanted.append((edge.child, "\(text)\(edge.parent); \(how): \(graph.indexStatement(edge))"))
      }
    }
    if let column = step.rule.condition.timeBound?.column, !step.root.table.hasIndex(on: [column]),
      !step.root.table.coarseIndexes.contains(column)
    {
      let table = step.root.table.name
      let statement =
        graph.indexStatement(table, [column])
        ?? "CREATE INDEX \(SQL.quoted("ix_\(table)_\(column)")) ON \(SQL.quoted(table)) (\(SQL.quoted(column)))"
      wanted.append((table, "\(table) has no index on \(column); one pass over it is made instead: \(statement)"))
    }
    for (table, text) in wanted {
      let isLarge = try await session.perform {
        try $0.integer("SELECT count(*) FROM (SELECT 1 FROM \(SQL.quoted(table)) LIMIT 1000) AS found") >= 1000
      }
      if isLarge { context.warn("\(text);") }
    }
  }
}
