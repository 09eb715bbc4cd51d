import Synchronization
import UpkeepCore
import UpkeepDatabase

/// The database during a run: batches of events, each a transaction, and the application's record of the run.
///
/// A transaction that has begun is ended even where the run is told to stop meanwhile: an event is stored whole or not
/// at all, and what was stored is counted.
final class OddsStore: Sendable {
  /// How often a batch is tried: another writer may have been in the way, or a purge have taken a row.
  private static let attempts = 3

  private let session: any DatabaseSession
  private let tables: OddsTables
  private let context: TaskContext
  private let references: OddsReferences
  private let run: Int64
  private let months = Mutex<[String: Bool]>([:])

  private init(
    _ session: any DatabaseSession, _ tables: OddsTables, _ context: TaskContext, _ references: OddsReferences,
    run: Int64
  ) {
    self.session = session
    self.tables = tables
    self.context = context
    self.references = references
    self.run = run
  }

  /// Begins a run.
  static func begin(
    _ session: any DatabaseSession, _ tables: OddsTables, platforms: [String], in context: TaskContext
  ) async throws -> OddsStore {
    let (references, record) = try await session.transaction(.write) { connection in
      (
        try OddsReferences(connection, now: context.wallClock.now()),
        try ScrapeRecord.begin(context, on: connection, platforms: platforms)
      )
    }
    if record.closed > 0 {
      context.warn("scrape_runs: \(record.closed) earlier runs, whose process had ended, are marked as failed")
    }
    if !tables.hasCurrent { context.warn("the database has no table market_odds_current; it is left out") }
    if !tables.hasHistory { context.warn("the database has no table market_odds_history; it is left out") }
    return OddsStore(session, tables, context, references, run: record.id)
  }

  /// Stores events of one platform, and records those that failed.
  func store(
    _ events: [ScrapedEvent], failures: [EventFailure], of platform: String
  ) async throws -> OddsWriter.Outcome {
    try await write { writer in
      let outcome = try writer.store(events, of: platform)
      for failure in failures { try self.record(failure, platform, writer) }
      return outcome
    }
  }

  /// Records events that failed.
  func record(_ failures: [EventFailure], of platform: String) async throws {
    try await write { writer in
      for failure in failures { try self.record(failure, platform, writer) }
    }
  }

  private func record(_ failure: EventFailure, _ platform: String, _ writer: OddsWriter) throws {
    let event = try failure.event?.sportradarID.flatMap { id in
      try writer.connection.first("SELECT id FROM events WHERE sportradar_id = ?1", [.text(id)])?[0].integer
    }
    try ScrapeRecord.error(
      failure.error.code, failure.error.description, run: run, bookmaker: references.bookmaker(platform), event: event,
      at: .time(writer.now), on: writer.connection)
  }

  /// Marks events that a platform no longer has: those that it didn't list, or one that was gone.
  ///
  /// - Parameter isGone: Whether an event with this SportRadar id is.
  /// - Returns: How many had odds in force.
  func markUnavailable(
    of platform: String, where isGone: @escaping @Sendable (_ sportradarID: String) -> Bool
  ) async throws -> Int {
    let (references, run, tables, now) = (references, run, tables, context.wallClock.now())
    let rows = try await session.transaction(.read) { connection in
      try OddsWriter(
        connection: connection, tables: tables, references: references, run: run, now: now, writesHistory: false
      ).upcoming(platform).filter { isGone($0.sportradarID) }.map(\.row)
    }
    var marked = 0
    for batch in rows.batches(of: 200) {
      marked += try await write { writer in
        try batch.count { try writer.markUnavailable($0.id, event: $0.event, platform) }
      }
    }
    return marked
  }

  /// Links competitors' events to the events that they are, where those became known later.
  /// - Returns: How many.
  func link() async throws -> Int {
    let found = try await session.transaction(.read) { connection in
      try connection.rows(
        """
        SELECT c.id, e.id, c.source, c.external_id FROM competitor_events c
        JOIN events e ON e.sportradar_id = c.sportradar_id
        WHERE c.betpawa_event_id IS NULL AND c.deleted_at IS NULL
        """)
    }
    let known = Set(Platforms.all.map { $0.name })
    let links = found.filter { known.contains($0[2].text ?? "") }
    for batch in links.batches(of: 200) {
      try await write { writer in
        for row in batch {
          guard let competitor = row[0].integer, let event = row[1].integer, let source = row[2].text,
            let externalID = row[3].text
          else { continue }
          try writer.link(source, competitor: competitor, to: event, externalID: externalID)
        }
      }
    }
    return links.count
  }

  /// Says in `scrape_runs` how far the run is.
  func progress(_ phase: String, _ platforms: [String: String]) async throws {
    let (run, runID) = (run, context.runID)
    try await write { writer in
      try ScrapeRecord.progress(run, phase: phase, platforms, runID: runID, on: writer.connection)
    }
  }

  /// Ends the run in `scrape_runs`.
  func finish(_ end: ScrapeRecord.End) async throws {
    let (run, runID) = (run, context.runID)
    try await write { writer in
      try ScrapeRecord.finish(run, end, runID: runID, now: writer.now, on: writer.connection)
    }
  }

  /// One transaction, that no cancellation interrupts; it is tried again where it fails.
  private func write<Value: Sendable>(
    _ body: @escaping @Sendable (OddsWriter) throws -> Value
  ) async throws -> Value {
    let (session, tables, references, run) = (session, tables, references, run)
    let now = context.wallClock.now()
    return try await Task {
      let writesHistory = try await self.hasHistoryPlace(for: now)
      var attempt = 1
      while true {
        do {
          return try await session.transaction(.write) { connection in
            try body(
              OddsWriter(
                connection: connection, tables: tables, references: references, run: run, now: now,
                writesHistory: writesHistory))
          }
        } catch let error as TaskError where attempt < Self.attempts && error.code != "permission_denied" {
          attempt += 1
          if error.code == "connection_lost" { try await session.reconnect() }
        }
      }
    }.value
  }

  /// Whether the history takes rows of an instant; a missing partition is made.
  private func hasHistoryPlace(for now: Timestamp) async throws -> Bool {
    guard tables.historyIsPartitioned else { return true }
    let month = String(now.dateText.prefix(7))
    if let known = months.withLock({ $0[month] }) { return known }
    var covers = try await session.perform { try HistoryPartitions.covers(now, on: $0) }
    if !covers {
      let statement = HistoryPartitions.statement(for: now)
      do {
        try await session.transaction(.write) { _ = try $0.execute(statement) }
        covers = true
      } catch let error as TaskError {
        // Somebody else may have made it meanwhile.
        covers = try await session.perform { try HistoryPartitions.covers(now, on: $0) }
        if !covers {
          context.warn(
            "market_odds_history has no partition for \(month), so no history is written; have its owner say: "
              + "\(statement); (\(error.problem))")
        }
      }
    }
    months.withLock { [covers] in $0[month] = covers }
    return covers
  }
}

/// What couldn't be had: an event, or the list of them where there is none.
struct EventFailure: Sendable {
  var event: ListedEvent?
  var error: TaskError
}

extension Array {
  /// The elements in parts of at most so many.
  func batches(of size: Int) -> [ArraySlice<Element>] {
    stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
  }
}
