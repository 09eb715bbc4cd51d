import Synchronization
import UpkeepCore
import UpkeepDatabase

/// The connection was lost in a batch.
struct LostBatch: Error {
  let error: TaskError
  /// The batch that was being committed then, which may be committed or not.
  let doubtful: DoubtfulBatch?
}

/// A batch whose commit nobody has confirmed.
struct DoubtfulBatch: Sendable {
  /// The number of its transaction.
  let transaction: Int64
  let batch: BatchBound
  let outcome: BatchOutcome
}

// On a server a batch may fail though nothing is wrong: others delete and change the same rows, sessions lock each
// other, the server is started anew. The same batch is tried again, smaller, before anybody hears of it.

extension BatchWalk {
  /// Walks over batches of rows in a database of a server.
  mutating func walkOnServer(_ batches: some BatchSource) async throws -> Int {
    var governor = ServerGovernor()
    var source: any BatchSource = batches
    var (cursor, held) = (batches.start, 0)
    while let bound = try await nextBound(of: batches, after: cursor, rows: governor.size) {
      try Task.checkCancellation()
      try await awaitServer()
      stop = stop ?? context.limitReached()
      guard stop == nil else { return held }
      do {
        let (batch, outcome, hold) = try await commit(bound, of: source, after: cursor)
        held += outcome.held
        count(excepted: outcome.excepted)
        report(outcome, batch)
        cursor = batch.last
        governor.note(hold: hold, rows: batch.rows)
        source = batches
      } catch let error as TaskError where error.isOfOthers {
        guard governor.failures < ServerGovernor.patience else {
          guard bound.rows == 1, error.keepsRow else { throw error }
          // Whatever refers to this row, or keeps it, isn't known here: it stays.
          held += 1
          cursor = bound.last
          continue
        }
        source = batches.retried
        let pause = governor.noteFailure(rows: bound.rows)
        if !error.keepsRow { try await context.clock.sleep(for: pause) }
      }
    }
    return held
  }

  private func nextBound(of batches: some BatchSource, after cursor: Int64, rows: Int) async throws -> BatchBound? {
    let parts = try await purge.session.perform { try batches.parts(after: cursor, rows: rows, each: rows, on: $0) }
    return parts.first
  }

  private func commit(
    _ bound: BatchBound, of batches: any BatchSource, after cursor: Int64
  ) async throws -> (batch: BatchBound, outcome: BatchOutcome, hold: Duration) {
    let (limit, doubt, watch) = (context.rowsLeft, Doubt(), context.clock.stopwatch())
    do {
      let (batch, outcome) = try await purge.session.transaction(.write) { connection in
        if batches.needsSnapshot { try connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ") }
        // Plans are for keys that are looked up, however many: a batch must not read a table whole to find them.
        try connection.execute("SET LOCAL enable_seqscan = off")
        let (batch, outcome) = try batches.delete(after: cursor, bound, within: limit, on: connection)
        let transaction = try connection.integer("SELECT txid_current()")
        doubt.note(DoubtfulBatch(transaction: transaction, batch: batch, outcome: outcome))
        return (batch, outcome)
      }
      let hold = watch()
      purge.meter.note(hold: hold, rows: outcome.deleted, at: elapsed())
      return (batch, outcome, hold)
    } catch let error as TaskError where error.code == "connection_lost" {
      throw LostBatch(error: error, doubtful: doubt.batch)
    }
  }

  /// Connects again after the connection was lost, and finds out what became of the batch that was under way.
  ///
  /// - Throws: The error itself where the server doesn't come back within about two minutes.
  mutating func recover(from lost: LostBatch) async throws {
    context.report(nil, "waiting: the connection to the server was lost")
    var pause = Duration.milliseconds(100)
    for attempt in 1... {
      try await context.clock.sleep(for: pause)
      pause = min(pause * 2, .seconds(5))
      do {
        try await purge.session.reconnect()
        try await purge.prepareServer()
        try await settle(lost.doubtful)
        return
      } catch let error as TaskError {
        let mayPass = ["connection_lost", "database_unreachable", "too_many_connections"].contains(error.code)
        guard mayPass, attempt < 28 else {
          if let doubtful = lost.doubtful {
            context.warn(
              "\(doubtful.outcome.deleted) rows of the last batch may be deleted or not: the server didn't confirm it, and "
                + "they aren't counted")
          }
          throw lost.error
        }
      }
    }
  }

  private mutating func settle(_ doubtful: DoubtfulBatch?) async throws {
    guard let doubtful else { return }
    let statement = "SELECT txid_status(?1)"
    while true {
      let status = try await purge.session.perform { connection in
        try connection.first(statement, [.integer(doubtful.transaction)])?.first?.text
      }
      switch status {
      case "committed":
        count(excepted: doubtful.outcome.excepted)
        purge.meter.note(hold: .zero, rows: doubtful.outcome.deleted, at: elapsed())
        return report(doubtful.outcome, doubtful.batch)
      case "in progress":
        // The server hasn't noticed yet that nobody is there any more.
        try await context.clock.sleep(for: .milliseconds(100))
      default: return
      }
    }
  }
}

/// Where a transaction says what it did before it is committed.
final class Doubt: Sendable {
  private let value = Mutex<DoubtfulBatch?>(nil)

  var batch: DoubtfulBatch? { value.withLock { $0 } }

  func note(_ batch: DoubtfulBatch) {
    value.withLock { $0 = batch }
  }
}

extension TaskError {
  /// Whether others are the reason, so that another try may do.
  var isOfOthers: Bool {
    ["deadlock", "serialization", "lock_timeout", "statement_timeout"].contains(code) || keepsRow
  }

  /// Whether a row refuses to go.
  fileprivate var keepsRow: Bool {
    [ServerBatches.conflict, "foreign_key"].contains(code)
  }
}
