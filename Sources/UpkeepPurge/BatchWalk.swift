import UpkeepCore
import UpkeepDatabase

/// What a batch's transaction did.
private struct CommittedBatch: Sendable {
  let batch: BatchBound
  let outcome: BatchOutcome
  /// The time from its beginning to its commit.
  let work: Duration
  /// Whether it ended before all its parts were done.
  let isCut: Bool
  /// The log's count of commits before its own.
  let commits: UInt32?
  /// The time since its beginning.
  let watch: @Sendable () -> Duration
}

/// Walks over the rows of a plan's passes in batches under the governor.
struct BatchWalk: Sendable {
  let purge: Purge
  let context: TaskContext
  var governor = BatchGovernor()
  let elapsed: @Sendable () -> Duration
  private var lastNote = Duration.zero
  private var stepName = ""
  private var ruleTable = ""
  /// Why the walk ended before all was done.
  var stop: StopReason?
  /// What triggers delete along with the plan's rows.
  var triggered: TriggeredRows?
  /// Told of changed rows.
  private var observe: Purge.RowObserver?
  private var changed = 0
  /// The log's count of commits right after our last one.
  var lastCommits: UInt32?
  /// Looks at what a server is behind with.
  var server: ServerWatch
  /// Frames that the last batch added to the log.
  var lastFrames = 0
  /// Whether SQLite enforces foreign keys now.
  var enforcesForeignKeys = true

  init(purge: Purge, context: TaskContext) {
    self.purge = purge
    self.context = context
    elapsed = context.clock.stopwatch()
    server = ServerWatch(purge.database.limits)
  }

  mutating func begin(_ step: DeletionPlan.Step) {
    stepName = step.rule.name
    ruleTable = step.root.table.name
    watchTables(of: step)
  }

  /// Changes the rows of batches; `observe` is told of each batch's rows after its commit.
  mutating func change(_ batches: ChangeBatches, step: String, observe: @escaping Purge.RowObserver) async throws {
    stepName = step
    self.observe = observe
    try await walk(batches)
  }

  /// Deletes the rows of one step.
  mutating func delete(_ step: DeletionPlan.Step, graph: DeletionGraph) async throws {
    if graph.catalogue.engine == .postgres { return try await deleteOnServer(step, graph: graph) }
    try await relaxForeignKeys(for: step)
    try await deleteHere(step, graph: graph)
    try await enforceForeignKeys(true)
  }

  private mutating func deleteHere(_ step: DeletionPlan.Step, graph: DeletionGraph) async throws {
    let root = step.root
    try await purge.session.transaction(.scratch) { connection in
      try step.rule.condition.makeRankings(without: DoomedRows(), on: connection)
    }
    if let mesh = step.mesh { return try await delete(mesh, of: step, graph: graph) }
    if root.isDirect, case .condition(let condition) = root.selection {
      let extent = try await purge.session.perform { try RowExtent(root, condition, on: $0) }
      guard let extent else { return }
      for scattered in try await scatteredLeaves(of: root, condition, extent: extent, graph: graph) {
        try await walk(scattered)
      }
      guard stop == nil else { return }
      if extent.isDense {
        return try await deleteDirectly(root, condition, extent: extent, graph: graph)
      }
    }
    let listing = try await purge.session.transaction(.scratch) { connection in
      var none = DoomedRows()
      return try root.makeLists(on: connection, graph: graph, doomed: &none)
    }
    let keeps = !step.rule.selectsUnreferenced
    if keeps { count(held: listing.held, by: listing.holders, of: root.table.name) }
    count(excepted: listing.excepted)
    try await walkLists(root, ancestors: [], graph: graph, listing: listing, keeps: keeps)
  }

  private mutating func walkLists(
    _ pass: DeletionPass, ancestors: [DeletionPass], graph: DeletionGraph, listing: Listing, keeps: Bool
  ) async throws {
    for child in pass.children {
      try await walkLists(child, ancestors: [pass] + ancestors, graph: graph, listing: listing, keeps: keeps)
    }
    guard stop == nil else { return }
    let batches = try await purge.session.transaction(.scratch) { connection in
      try ListedBatches(pass, ancestors: ancestors, graph: graph, listing: listing, on: connection)
    }
    guard let batches else { return }
    // Where a reference has no index, SQLite would look for referring rows with a scan for each deleted row: the pass
    // has looked for them once instead, and looks again for those that came since.
    let (checks, before) = (pass.edges.allSatisfy { graph.isIndexed($0) }, enforcesForeignKeys)
    if !checks { try await enforceForeignKeys(triggered?.needForeignKeys ?? false) }
    let held = try await walk(batches)
    try await enforceForeignKeys(before)
    if keeps, ancestors.isEmpty { count(held: held, of: pass.table.name) }
  }

  /// - Parameter holders: The tables of the rows that hold them, where they are known.
  func count(held: Int, by holders: [String] = [], of table: String) {
    context.update(table: table) { $0.keep(held, referencedBy: holders) }
  }

  func count(excepted: Int) {
    guard excepted > 0 else { return }
    context.update(table: ruleTable) { $0.keptExcepted += excepted }
  }

  @discardableResult
  mutating func walk(_ batches: some BatchSource, isBegun: Bool = false) async throws -> Int {
    if !isBegun { governor.beginWalk() }
    if purge.catalogue.engine == .postgres { return try await walkOnServer(batches) }
    guard let triggered else { return try await walkThrough(batches) }
    return try await walkThrough(TriggeringBatches(source: batches, triggered: triggered))
  }

  private mutating func walkThrough(_ batches: some BatchSource) async throws -> Int {
    let catalogue = purge.catalogue
    try await purge.session.perform { try Preflight.check(batches.statements, catalogue, on: $0) }
    var cursor = batches.start
    var held = 0
    var next = try await nextParts(of: batches, after: cursor)
    while !next.isEmpty {
      try Task.checkCancellation()
      // Asked only where there is a batch left: a run that ends with its last row has nothing left undone.
      stop = stop ?? context.limitReached()
      guard stop == nil else { return held }
      let (from, parts) = (cursor, next)
      guard let (batch, outcome, pause) = try await delete(parts, of: batches, after: from) else {
        try await enforceForeignKeys(true)
        continue
      }
      held += outcome.held
      count(excepted: outcome.excepted)
      report(outcome, batch)
      cursor = batch.last
      let spent = context.clock.stopwatch()
      if let log = purge.session.logState(), governor.wantsCheckpoint(log) { purge.keeper?.begin() }
      next = try await nextParts(of: batches, after: cursor)
      try await yield(pause, spent: spent)
    }
    return held
  }

  /// Looks for the next batch, outside its transaction and while others may write, and whether they did.
  private mutating func nextParts(of batches: some BatchSource, after cursor: Int64) async throws -> [BatchBound] {
    let (size, part) = (governor.size, governor.partSize)
    let (version, parts) = try await purge.session.transaction(.read) { connection in
      (
        try connection.integer("PRAGMA data_version"),
        try batches.parts(after: cursor, rows: size, each: part, on: connection)
      )
    }
    let now = elapsed()
    governor.note(version: version, after: now - lastNote)
    lastNote = now
    return parts
  }

  /// Deletes a batch in one transaction: part after part, until all are done or the lock has been held for long enough.
  ///
  /// - Returns: Nothing where nothing was done, since foreign keys aren't enforced and the schema isn't what was read: there
  ///   may be some now that refer to the rows.
  private mutating func delete(
    _ parts: [BatchBound], of batches: some BatchSource, after cursor: Int64
  ) async throws -> (batch: BatchBound, outcome: BatchOutcome, pause: Duration)? {
    let (clock, limit, governor, session) = (context.clock, context.rowsLeft, governor, purge.session)
    let frames = session.logState()?.frames ?? 0
    let schema = enforcesForeignKeys ? nil : purge.catalogue.schemaVersion
    let done = try await session.transaction(.write) { connection -> CommittedBatch? in
      let watch = clock.stopwatch()
      if let schema, try connection.integer("PRAGMA main.schema_version") != schema { return nil }
      var (batch, outcome) = try batches.delete(after: cursor, parts[0], within: limit, on: connection)
      var (isCut, before, spent) = (batch.last < parts[0].last, Duration.zero, watch())
      for part in parts.dropFirst() where !isCut {
        isCut = governor.isFull(after: spent, rows: batch.rows, next: spent - before)
        if isCut { break }
        let rest = limit.map { $0 - outcome.deleted }
        if let rest, rest <= 0 {
          isCut = true
          break
        }
        let (done, more) = try batches.delete(after: batch.last, part, within: rest, on: connection)
        isCut = done.last < part.last
        batch.add(done)
        outcome.add(more)
        (before, spent) = (spent, watch())
      }
      return CommittedBatch(
        batch: batch, outcome: outcome, work: watch(), isCut: isCut, commits: session.logState()?.commits, watch: watch)
    }
    guard let done else { return nil }
    let hold = done.watch()
    // Nobody else could commit meanwhile: a further commit than our own is somebody else's.
    lastCommits = done.commits.map { $0 &+ 1 }
    lastFrames = max(0, (session.logState()?.frames ?? 0) - frames)
    let pause = self.governor.note(hold: hold, commit: hold - done.work, rows: done.batch.rows, isCut: done.isCut)
    purge.meter.note(hold: hold, rows: done.outcome.deleted, at: elapsed())
    return (done.batch, done.outcome, pause)
  }

  mutating func report(_ outcome: BatchOutcome, _ batch: BatchBound) {
    if let observe {
      observe(outcome.changed)
      changed += outcome.changed.count
      return context.report(nil, "\(stepName): \(changed) rows changed")
    }
    for (index, tally) in outcome.tallies.enumerated() {
      context.add(tally.isUnlink ? purge.names.unlinked(tally.table) : purge.names.deleted(tally.table), tally.rows)
      guard !tally.isUnlink, tally.rows > 0 else { continue }
      let isRoot = index == outcome.tallies.indices.last
      context.update(table: tally.table) { table in
        table.deleted += tally.rows
        if isRoot { table.widen(from: batch.oldest, to: batch.newest) }
        table.widen(from: tally.oldest, to: tally.newest)
      }
    }
    outcome.dropped?.tell(context)
    let total = context.forecast?.deleted ?? 0
    let figures = purge.meter.figures
    var message = "\(stepName): \(figures.rows) rows, \(figures.currentRowsPerSecond)/s"
    if let rest = figures.remaining(of: total) {
      message += ", \(Duration.seconds(max(1, rest.inSeconds.rounded())).durationText) left"
    }
    context.report(total > 0 ? min(0.999, Double(figures.rows) / Double(total)) : nil, message)
  }
}
