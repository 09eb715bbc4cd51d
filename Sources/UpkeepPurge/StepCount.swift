import UpkeepCore
import UpkeepDatabase

/// What a step does to one table.
struct TableTally: Sendable {
  var table: String
  var rows: Int
  /// Whether the rows only lose their reference.
  var isUnlink = false
  /// Rows that the rule selects but that others keep.
  var held = 0
  /// The tables of those others.
  var holders: [String] = []
  /// Rows that the rule selects but that an exception keeps.
  var excepted = 0
  var total: Int?
  var oldest: Timestamp?
  var newest: Timestamp?
}

/// What a step would do, counted in one snapshot; where a large SQLite table is gone through, in several.
struct StepCount: Sendable {
  private(set) var tallies: [TableTally] = []
  /// What this step and the ones before it take.
  private(set) var doomed: DoomedRows
  /// Rows of the rule's own table.
  private(set) var found = 0
  /// Rows of it that the rule selects but that others keep.
  private(set) var held = 0
  /// The tables of those others.
  private var holders: [String] = []
  /// Rows of it that would go but for an exception.
  private(set) var excepted = 0
  /// Rows of it whose time can't be read.
  private(set) var unreadable = 0
  /// Partitions that go at once.
  private(set) var partitions: [DroppedPartition] = []
  /// Why others of them don't.
  private(set) var warnings: [String] = []
  /// The same among the rows before the cutoff, where it was counted by the way.
  private var unreadableAmongOld: Int?
  private let graph: DeletionGraph
  private var renewal: SnapshotRenewal?

  init(
    _ step: DeletionPlan.Step, graph: DeletionGraph, doomed: DoomedRows, droppingPartitions: Bool = false,
    clock: any Clock<Duration>, on connection: any DatabaseConnection
  ) throws {
    self.graph = graph
    // Which rows rank how is known of the snapshot that it was found in.
    renewal = step.rule.condition.ranks ? nil : SnapshotRenewal(clock: clock)
    self.doomed = doomed
    let root = step.root
    try step.rule.condition.makeRankings(without: doomed, on: connection)
    if droppingPartitions, let whole = WholePartitions(step) { try count(whole, on: connection) }
    if root.isDirect, case .condition(let condition) = root.selection {
      if graph.catalogue.engine == .postgres {
        try countOnServer(root, condition, on: connection)
      } else {
        try countDirect(root, condition.inOneSnapshot, on: connection)
      }
    } else {
      let listing =
        try step.mesh?.makeLists(on: connection, graph: graph, doomed: &self.doomed)
        ?? root.makeLists(on: connection, graph: graph, doomed: &self.doomed)
      if !step.rule.selectsUnreferenced { (held, holders) = (listing.held, listing.holders) }
      excepted = listing.excepted
      for pass in step.passes { try countListed(pass, isMember: step.mesh != nil, on: connection) }
    }
    if let first = tallies.firstIndex(where: { $0.table == root.table.name && !$0.isUnlink }) {
      for rows in partitions.map(\.found) {
        tallies[first].add(
          TableTally(table: root.table.name, rows: rows.rows, oldest: rows.oldest, newest: rows.newest))
      }
      found = tallies[first].rows
      tallies[first].held = held
      tallies[first].holders = holders
      tallies[first].excepted = excepted
    }
    for index in tallies.indices
    where tallies[index].rows > 0 && !tallies[index].isUnlink && tallies[index].total == nil {
      try renewal?.renewIfOld(on: connection)
      tallies[index].total = Int(try connection.integer("SELECT count(*) FROM \(SQL.quoted(tallies[index].table))"))
    }
    try renewal?.renewIfOld(on: connection)
    unreadable = try step.rule.countUnreadable(of: root.table, on: connection, amongOld: unreadableAmongOld)
  }

  /// Counts the partitions that go at once; their rows stand on no list.
  private mutating func count(_ whole: WholePartitions, on connection: any DatabaseConnection) throws {
    let (table, before) = (whole.pass.table.name, doomed)
    let found = try whole.find(on: connection)
    warnings = whole.warnings(found)
    for partition in found where partition.obstacle == nil {
      let rows = try whole.count(partition, without: before, on: connection)
      guard rows.others == 0 else { continue }
      partitions.append(DroppedPartition(table: table, partition: partition, found: rows))
      doomed.add(partition, of: table)
    }
  }

  private mutating func countDirect(
    _ pass: DeletionPass, _ condition: RowCondition, on connection: any DatabaseConnection
  ) throws {
    var extent = try RowExtent(pass, condition, seeksEnd: false, on: connection)
    try renewal?.renewIfOld(on: connection)
    defer {
      doomed.add(pass)
      for edge in pass.leaves { doomed.add(edge, of: pass) }
    }
    if var dense = extent, dense.isDense {
      if !([pass.table.name] + (pass.leaves + pass.unlinks).map(\.child)).contains(where: doomed.concerns),
        let ranges = try DoomedRanges(
          pass, condition, extent: &dense, graph: graph, renewing: &renewal, on: connection)
      {
        tallies += try ranges.count(renewing: &renewal, on: connection)
        unreadableAmongOld = ranges.unreadable
        return
      }
      try dense.seekEnd(of: pass, condition, on: connection)
      extent = dense
    }
    // The children are counted row by row of the parent, so that the condition is evaluated once for all of them.
    let isDense = extent?.isDense ?? false
    var sql = SQL("SELECT count(*), min(at), max(at)", reserved: isDense ? 2 : 0)
    for index in (pass.leaves + pass.unlinks).indices { sql += ", sum(n\(index))" }
    sql += " FROM (SELECT \(pass.timeColumn?.instant(of: "t") ?? "NULL") AS at"
    for (index, edge) in (pass.leaves + pass.unlinks).enumerated() {
      sql += ", (SELECT count(*) FROM \(SQL.quoted(edge.child)) c WHERE "
      sql += "\(edge.reference(of: "c")) = \(SQL.tuple(edge.parentColumns, of: "t"))"
      doomed.exclude(edge.child, as: "c", from: &sql)
      sql += ") AS n\(index)"
    }
    sql += " FROM \(SQL.quoted(pass.table.name)) t"
    // Where most rows between the first and the last are doomed, the table's own order is faster than the index's.
    sql += isDense ? " NOT INDEXED WHERE t.\(pass.rowNumber) BETWEEN ?1 AND ?2 AND " : " WHERE "
    sql.add(condition, of: "t")
    doomed.exclude(pass.table.name, as: "t", from: &sql)
    sql += ")"
    var own = TableTally(table: pass.table.name, rows: 0)
    var others = (pass.leaves + pass.unlinks).map { edge in
      TableTally(table: edge.child, rows: 0, isUnlink: edge.action == .unlink)
    }
    func count(_ range: [DatabaseValue]) throws {
      guard let row = try connection.first(sql.text, range + sql.values) else { return }
      own.add(TableTally(table: own.table, count: row, at: 0))
      for index in others.indices { others[index].rows += Int(row[3 + index].integer ?? 0) }
    }
    if let extent, isDense {
      try extent.forEachStretch(of: pass, renewing: &renewal, on: connection) { first, last, _ in
        try count([.integer(first), .integer(last)])
        return RowExtent.stretch
      }
    } else {
      try count([])
    }
    tallies += [own] + others
  }

  /// A server counts what refers to selected rows by a join, once for each table.
  private mutating func countOnServer(
    _ pass: DeletionPass, _ condition: RowCondition, on connection: any DatabaseConnection
  ) throws {
    func selected(_ expression: String, _ doomed: DoomedRows, into sql: inout SQL) {
      sql += "(SELECT \(expression) FROM \(SQL.quoted(pass.table.name)) t WHERE "
      sql.add(condition, of: "t")
      doomed.exclude(pass.table.name, as: "t", from: &sql)
      sql += ")"
    }
    // With more memory the server would make one large hash table of the keys, which misses the processor's cache with
    // each row that refers; with so much it reads both in the order of their indexes, in less than half the time.
    try connection.execute("SET LOCAL work_mem = '4MB'")
    let instants = pass.timeColumn?.extremes(of: "t") ?? ServerRanges.noInstants
    var own = SQL("SELECT count(*), \(instants.all) FROM ")
    selected("\(instants.row) AS at", doomed, into: &own)
    own += " AS selected"
    tallies.append(TableTally(table: pass.table.name, count: try connection.first(own.text, own.values) ?? [], at: 0))
    for edge in pass.leaves + pass.unlinks {
      var sql = SQL("SELECT count(*) FROM \(SQL.quoted(edge.child)) c WHERE \(edge.reference(of: "c")) IN ")
      selected(SQL.list(edge.parentColumns, of: "t"), doomed, into: &sql)
      doomed.exclude(edge.child, as: "c", from: &sql)
      let rows = Int(try connection.integer(sql.text, sql.values))
      tallies.append(TableTally(table: edge.child, rows: rows, isUnlink: edge.action == .unlink))
    }
    doomed.add(pass)
    for edge in pass.leaves { doomed.add(edge, of: pass) }
  }

  private mutating func countListed(
    _ pass: DeletionPass, isMember: Bool, on connection: any DatabaseConnection
  ) throws {
    let row = try connection.first("SELECT count(*), min(at), max(at) FROM \(pass.list)") ?? []
    let tally = TableTally(table: pass.table.name, count: row, at: 0)
    tallies.append(tally)
    // The rows that go with those of a mesh stand on lists of their own.
    for edge in isMember ? pass.unlinks : pass.leaves + pass.unlinks {
      var count = TableTally(table: edge.child, rows: 0, isUnlink: edge.action == .unlink)
      if tally.rows > 0 { count.rows = try countRows(of: edge, in: pass, on: connection) }
      tallies.append(count)
      if edge.action == .delete { doomed.add(edge, of: pass) }
    }
  }

  private func countRows(
    of edge: DeletionEdge, in pass: DeletionPass, on connection: any DatabaseConnection
  ) throws -> Int {
    let child = "\(SQL.quoted(edge.child)) c"
    let tables = graph.isIndexed(edge) ? "\(pass.list) p CROSS JOIN \(child)" : "\(child) CROSS JOIN \(pass.list) p"
    var sql = SQL("SELECT count(*) FROM \(tables) WHERE ")
    sql += "\(edge.reference(of: "c")) = \(pass.keyTuple(of: edge, as: "p"))"
    doomed.exclude(edge.child, as: "c", from: &sql)
    return Int(try connection.integer(sql.text, sql.values))
  }
}

extension TableTally {
  /// Adds other rows of the same table.
  fileprivate mutating func add(_ other: TableTally) {
    rows += other.rows
    oldest = [oldest, other.oldest].compactMap { $0 }.min()
    newest = [newest, other.newest].compactMap { $0 }.max()
  }

  init(table: String, count row: [DatabaseValue], at column: Int) {
    self.init(table: table, rows: Int(row[column].integer ?? 0))
    oldest = row[column + 1].integer.map { Timestamp(microseconds: $0) }
    newest = row[column + 2].integer.map { Timestamp(microseconds: $0) }
  }
}
