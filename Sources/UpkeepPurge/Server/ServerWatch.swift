import UpkeepCore
import UpkeepDatabase

/// Looks, once a second, at what a server is behind with: what is deleted on it is deleted on its replicas as well, is
/// written to its log, and stays in its tables until autovacuum comes.
struct ServerWatch: Sendable {
  /// Between two looks.
  static let interval = Duration.seconds(1)

  /// What is looked at; a limit that can't be looked at is taken away.
  var limits: ServerLimits
  var replicas = ReplicaWatch()
  /// The tables that rows are deleted from, as SQL names them.
  var tables: [String] = []
  private var lastLook: Duration?

  init(_ limits: ServerLimits) {
    self.limits = limits
  }

  /// Takes note of a look, where it is time for one.
  mutating func isDue(at now: Duration) -> Bool {
    guard limits != ServerLimits(), lastLook.map({ now - $0 >= Self.interval }) ?? true else { return false }
    lastLook = now
    return true
  }
}

extension BatchWalk {
  /// Has the tables of a step watched.
  mutating func watchTables(of step: DeletionPlan.Step) {
    let names = step.passes.flatMap { pass in [pass.table] + pass.leaves.compactMap { purge.catalogue[$0.child] } }
      .flatMap(\.storage)
    server.tables = Set(names).sorted()
  }

  /// Waits while the server is further behind than it may be, and says with what.
  mutating func awaitServer() async throws {
    while server.isDue(at: elapsed()) {
      guard let reason = try await obstacle() else { return }
      context.report(nil, "waiting: \(reason)")
      stop = stop ?? context.limitReached()
      guard stop == nil else { return }
      try await context.clock.sleep(for: ServerWatch.interval)
    }
  }

  private mutating func obstacle() async throws -> String? {
    if let limit = server.limits.replicaLag, let obstacle = try await replicaObstacle(limit) { return obstacle }
    if let limit = server.limits.logBacklog, let obstacle = try await logObstacle(limit) { return obstacle }
    if let limit = server.limits.deadRows { return try await deadRowsObstacle(limit) }
    return nil
  }

  private mutating func replicaObstacle(_ limit: Duration) async throws -> String? {
    guard
      let look = try await look("the server's replicas", dropping: \.replicaLag, { try ReplicaWatch.look(on: $0) }),
      let look
    else { return nil }
    let lag = server.replicas.lag(look, at: elapsed())
    if look.hidden > 0 {
      context.warn(
        "the server doesn't show this user how far its \(look.hidden) replicas are, so the purge doesn't wait for them: "
          + "GRANT pg_monitor TO the user")
      server.limits.replicaLag = nil
    }
    guard look.hidden == 0, lag > limit else { return nil }
    return "a replica is \(Duration.seconds(lag.inSeconds.rounded()).durationText) behind; max_replica_lag is "
      + limit.durationText
  }

  private mutating func logObstacle(_ limit: Int) async throws -> String? {
    let look = try await look("the server's log", dropping: \.logBacklog) { try LogBacklog.look(on: $0) }
    guard let backlog = look ?? nil, backlog.bytes > limit else { return nil }
    return "the server keeps \(backlog.bytes >> 20) MB of its log for \(backlog.holder); max_wal_backlog_mb is "
      + "\(limit >> 20)"
  }

  private mutating func deadRowsObstacle(_ limit: Int) async throws -> String? {
    let tables = server.tables
    let look = try await look("dead rows", dropping: \.deadRows) { try DeadRows.look(at: tables, on: $0) }
    for dead in look ?? [] where dead.rows > limit {
      guard dead.isVacuumed else {
        context.warn(
          "autovacuum doesn't come to \(dead.table), so the purge doesn't wait for it; it has more dead rows than "
            + "max_dead_rows: run VACUUM")
        continue
      }
      // Below its threshold autovacuum doesn't come, and waiting for it would have no end.
      guard dead.rows > dead.threshold else { continue }
      return "\(dead.table) has \(dead.rows) dead rows that autovacuum hasn't come to; max_dead_rows is \(limit)"
    }
    return nil
  }

  /// Looks at something; where that is refused, says so once and never looks again.
  private mutating func look<Value: Sendable>(
    _ what: String, dropping limit: WritableKeyPath<ServerLimits, (some Sendable)?>,
    _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value? {
    do {
      return try await purge.session.perform(body)
    } catch let error as TaskError where !["connection_lost", "database_unreachable"].contains(error.code) {
      context.warn("\(what) can't be looked at, so the purge doesn't wait: \(error.problem)")
      server.limits[keyPath: limit] = nil
      return nil
    }
  }
}
