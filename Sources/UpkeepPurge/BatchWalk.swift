import UpkeepCore
import UpkeepDatabase

/// Walks over the rows of a plan's passes in batches under the governor.
struct BatchWalk: Sendable {
  let purge: Purge
  let context: TaskContext
  private(set) var governor = BatchGovernor()
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
  private var lastCommits: UInt32?
  /// Frames that the last batch added to the log.
  private var lastFrames = 0

  init(purge: Purge, context: TaskContext) {
    self.purge = purge
    self.context = context
    elapsed = context.clock.stopwatch()
  }

  mutating func begin(_ step: DeletionPlan.Step) {
    stepName = step.rule.name
    ruleTable = step.root.table.name
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
    if keeps { count(held: listing.held, of: root.table.name) }
    count(excepted: listing.excepted)
    try await walkLists(root, ancestors: [], graph: graph, listing: listing, keeps: keeps)
  }

  /// Deletes rows that nothing holds in the order of their table, or in slabs where that is less to write.
  private mutating func deleteDirectly(
    _ pass: DeletionPass, _ condition: RowCondition, extent: RowExtent, graph: DeletionGraph
  ) async throws {
    if try await purge.session.perform({ try $0.hasTriggers(on: pass.tables) }) {
      try await walk(DirectBatches(pass, condition, extent: extent))
    } else if let scattered = try await purge.session.perform({
      try ScatteredIndex(pass, condition, extent: extent, on: $0)
    }) {
      try await walkSlabs(of: pass, condition, extent: extent, graph: graph, order: scattered)
    } else {
      try await walk(DirectBatches(pass, condition, extent: extent, ranges: graph))
    }
  }

  /// Batches for the children that lie scattered over their table: they go first, in the order of their own table.
  private func scatteredLeaves(
    of pass: DeletionPass, _ condition: RowCondition, extent: RowExtent, graph: DeletionGraph
  ) async throws -> [ScatteredBatches] {
    try await purge.session.transaction(.scratch) { connection in
      let edges = try pass.leaves.filter { edge in
        try ScatterSample(edge, of: pass, condition, extent: extent, graph: graph, on: connection)?.isScattered ?? false
      }
      return try edges.compactMap { edge in
        try ScatteredBatches(edge, of: pass, condition, graph: graph, on: connection)
      }
    }
  }

  /// Deletes slab after slab: what belongs to its rows first, in the order of the table, then the rows in the order of an
  /// index.
  private mutating func walkSlabs(
    of pass: DeletionPass, _ condition: RowCondition, extent: RowExtent, graph: DeletionGraph, order: ScatteredIndex
  ) async throws {
    let batches = SlabBatches(pass, condition, extent: extent, order: order)
    let size = SlabBatches.size(for: extent.rows)
    var (cursor, paces) = (extent.first - 1, (children: BatchGovernor.Pace(), rows: BatchGovernor.Pace()))
    while stop == nil {
      let from = cursor
      let slab = try await purge.session.transaction(.read) { connection in
        try batches.list(after: from, through: extent.last, rows: size, on: connection)
      }
      guard let slab else { return }
      if !pass.leaves.isEmpty || !pass.unlinks.isEmpty {
        governor.beginWalk(at: paces.children)
        try await walk(
          DirectBatches(pass, condition, extent: slab, ranges: graph, keepsParents: true), isBegun: true)
        paces.children = governor.pace
        guard stop == nil else { return }
      }
      governor.beginWalk(at: paces.rows)
      try await walk(batches, isBegun: true)
      paces.rows = governor.pace
      cursor = slab.last
    }
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
    let checks = pass.edges.allSatisfy { graph.isIndexed($0) }
    if !checks { try await enforceForeignKeys(triggered?.needForeignKeys ?? false) }
    let held = try await walk(batches)
    if !checks { try await enforceForeignKeys(true) }
    if keeps, ancestors.isEmpty { count(held: held, of: pass.table.name) }
  }

  func enforceForeignKeys(_ on: Bool) async throws {
    try await purge.session.perform { _ = try $0.execute("PRAGMA foreign_keys = \(on ? "ON" : "OFF")") }
  }

  func count(held: Int, of table: String) {
    context.update(table: table) { $0.keptReferenced += held }
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
      let (batch, outcome, pause) = try await delete(parts, of: batches, after: from)
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
  private mutating func delete(
    _ parts: [BatchBound], of batches: some BatchSource, after cursor: Int64
  ) async throws -> (batch: BatchBound, outcome: BatchOutcome, pause: Duration) {
    let (clock, limit, governor, session) = (context.clock, context.rowsLeft, governor, purge.session)
    let frames = session.logState()?.frames ?? 0
    let ((batch, outcome, work, isCut, commits), watch) = try await session.transaction(.write) { connection in
      let watch = clock.stopwatch()
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
      return ((batch, outcome, watch(), isCut, session.logState()?.commits), watch)
    }
    let hold = watch()
    // Nobody else could commit meanwhile: a further commit than our own is somebody else's.
    lastCommits = commits.map { $0 &+ 1 }
    lastFrames = max(0, (session.logState()?.frames ?? 0) - frames)
    let pause = self.governor.note(hold: hold, commit: hold - work, rows: batch.rows, isCut: isCut)
    purge.meter.note(hold: hold, rows: outcome.deleted, at: elapsed())
    return (batch, outcome, pause)
  }

  /// Lets others write. Where the log has grown large enough it is brought into the file and begun anew.
  private mutating func yield(_ pause: Duration, spent: @Sendable () -> Duration) async throws {
    let log = purge.session.logState()
    let isDue = log.map { governor.wantsNewLog($0, batch: lastFrames) } ?? false
    if isDue { try await purge.keeper?.checkpoint() }
    try await awaitWriters(pause, spent: spent)
    if isDue, let log, let keeper = purge.keeper {
      // Commits that came meanwhile keep the log from being begun anew. Few as they are, they go at once; this holds
      // the lock like a batch, and is followed by a pause like one.
      lastCommits = purge.session.logState()?.commits
      let watch = context.clock.stopwatch()
      let isNew = try await keeper.beginNewLog()
      let hold = watch()
      governor.note(log: isNew ? nil : log)
      if governor.othersWrite {
        try await awaitWriters(BatchGovernor.pause(after: hold), spent: context.clock.stopwatch())
      }
    }
    if let log, log.bytes > purge.bounds.log { try await awaitNewLog() }
    try await awaitDisk()
  }

  /// Pauses until the writers that waited have committed and no more commits follow, or the pause is over.
  private mutating func awaitWriters(_ pause: Duration, spent: @Sendable () -> Duration) async throws {
    guard pause > .zero else { return }
    var commits = lastCommits
    var (haveCommitted, isPatient) = (false, false)
    var (end, since) = (pause, spent())
    while true {
      let now = purge.session.logState()?.commits
      if now != commits {
        (commits, haveCommitted, since) = (now, true, spent())
      } else if haveCommitted, spent() - since >= BatchGovernor.lull {
        break
      }
      if spent() >= end {
        guard !haveCommitted, !isPatient else { break }
        (end, isPatient) = (end + governor.patience, true)
      }
      try await context.clock.sleep(for: BatchGovernor.glance)
    }
    if purge.keeper != nil { governor.note(committed: haveCommitted) }
  }

  /// Waits while a reader of another program keeps the log from being begun anew, so that it doesn't grow without end.
  private func awaitNewLog() async throws {
    guard let keeper = purge.keeper else { return }
    while let log = purge.session.logState(), log.bytes > purge.bounds.log {
      if try await keeper.beginNewLog() { return }
      context.report(
        nil, "waiting: a reader of another program keeps the log of \(log.bytes >> 20) MB from being emptied")
      try await context.clock.sleep(for: .milliseconds(100))
      try await keeper.checkpoint()
    }
  }

  private func awaitDisk() async throws {
    while let free = purge.database.freeDisk(), free < purge.bounds.disk {
      context.report(
        nil,
        "waiting: only \(free >> 20) MB of the disk are free; \(purge.bounds.disk >> 20) MB are wanted, at least")
      try await context.clock.sleep(for: .seconds(1))
    }
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
    let total = context.forecast?.deleted ?? 0
    let (deleted, rate) = (purge.meter.figures.rows, purge.meter.figures.rowsPerSecond)
    var message = "\(stepName): \(deleted) rows deleted, \(rate) rows/s"
    if total > deleted, rate > 0 { message += ", \(Duration.seconds((total - deleted) / rate + 1).durationText) left" }
    context.report(total > 0 ? min(0.999, Double(deleted) / Double(total)) : nil, message)
  }
}

extension DeletionPass {
  /// The tables whose rows a batch changes.
  fileprivate var tables: [String] {
    [table.name] + (leaves + unlinks).map(\.child)
  }
}

extension DatabaseConnection {
  /// Whether triggers of the schema run when rows of these tables are changed.
  fileprivate func hasTriggers(on tables: [String]) throws -> Bool {
    let names = tables.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
    let statement = "SELECT count(*) FROM main.sqlite_master WHERE type = 'trigger' AND lower(tbl_name) IN (\(names))"
    return try integer(statement, tables.map { .text($0.schemaKey) }) > 0
  }
}

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
}
