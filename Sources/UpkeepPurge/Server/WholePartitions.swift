import UpkeepCore
import UpkeepDatabase

/// A partition that lies before the cutoff of a rule as a whole.
struct WholePartition: Sendable {
  /// The number that the server gives it.
  let number: Int64
  /// Its name, as SQL writes it.
  let name: String
  /// The tables that its rows lie in: itself, where it isn't partitioned again.
  let leaves: [Int64]
  let bytes: Int
  /// Pages of the largest of those tables.
  let pages: Int64
  /// Why it is emptied by batches all the same.
  let obstacle: String?
}

/// The rows of a partition.
struct PartitionRows: Sendable {
  let rows: Int
  /// Rows that the rule doesn't select.
  let others: Int
  let oldest: Timestamp?
  let newest: Timestamp?
}

/// A partition with its rows, which goes or went at once.
struct DroppedPartition: Sendable {
  let table: String
  let partition: WholePartition
  let found: PartitionRows

  /// What it is in the result's `details`.
  func tell(_ context: TaskContext) {
    context.detail(
      "partition_dropped",
      [
        "table": .string(table), "partition": .string(partition.name), "rows": .integer(found.rows),
        "bytes": .integer(partition.bytes),
      ])
  }
}

/// The partitions of a step's table that may go as wholes, since the rule selects rows by nothing but the column that the
/// table is partitioned by.
///
/// The bounds only say which partitions come into question. That one goes is decided by its rows: each must be one that
/// the rule selects.
struct WholePartitions: Sendable {
  let pass: DeletionPass
  private let column: ServerTimeColumn
  private let cutoff: Timestamp
  private let condition: RowCondition

  /// Nothing where rows must be looked at one by one: the rule asks for more than their age, others may refer to them, or
  /// an exception may keep some.
  init?(_ step: DeletionPlan.Step) {
    pass = step.root
    guard step.mesh == nil, !pass.table.partitions.isEmpty, pass.edges.isEmpty, !pass.excepted.concern(pass.table.name),
      case .condition(let condition) = pass.selection, case .server(.older(let column, let cutoff))? = condition.only
    else { return nil }
    self.condition = condition
    self.column = column
    self.cutoff = cutoff
  }

  /// The partitions that lie before the cutoff, the oldest first, with what keeps them from being dropped.
  ///
  /// A partition that the server is detaching already isn't among them, nor is the default one, which has no bounds.
  ///
  /// - Parameter number: Looks at this one only.
  func find(_ number: Int64? = nil, on connection: any DatabaseConnection) throws -> [WholePartition] {
    let text = "substring(pg_get_expr(c.relpartbound, c.oid) FROM ' TO \\((.*)\\)$')"
    let bound = column.time.bound("nullif(\(text), 'MAXVALUE')")
    var sql = SQL("WITH whole AS (SELECT c.oid, k.partrelid AS parent, \(bound) AS bound")
    sql += " FROM pg_partitioned_table k JOIN pg_attribute a ON a.attrelid = k.partrelid AND a.attnum = k.partattrs[0]"
    sql += " JOIN pg_inherits i ON i.inhparent = k.partrelid JOIN pg_class c ON c.oid = i.inhrelid"
    sql += " WHERE k.partrelid = CAST("
    sql.bind(.text(SQL.quoted(pass.table.name)))
    sql += " AS regclass) AND CASE WHEN k.partstrat = 'r' AND k.partnatts = 1 AND a.attname = "
    sql.bind(.text(pass.table.column(column.name)?.name ?? column.name))
    sql += " THEN \(bound) <= "
    column.time.addBound(before: cutoff, to: &sql)
    // The column came with PostgreSQL 14.
    sql += " END AND NOT coalesce(CAST(to_jsonb(i) ->> 'inhdetachpending' AS boolean), false)"
    if let number { sql += " AND c.oid = \(number)" }
    sql += """
      ) SELECT w.oid::bigint, w.oid::regclass::text,
        coalesce(string_agg(t.relid::oid::bigint::text, ' ') FILTER (WHERE t.isleaf), ''),
        sum(pg_total_relation_size(t.relid)),
        max(pg_relation_size(t.relid)) / current_setting('block_size')::bigint, min(\(Self.obstacle))
      FROM whole w CROSS JOIN LATERAL pg_partition_tree(w.oid) t JOIN pg_class m ON m.oid = t.relid
      GROUP BY w.oid, w.bound ORDER BY w.bound
      """
    return try connection.map(sql.text, sql.values) { row in
      WholePartition(
        number: row[0].integer ?? 0, name: row[1].text ?? "",
        leaves: (row[2].text ?? "").split(separator: " ").compactMap { Int64($0) }, bytes: Int(row[3].integer ?? 0),
        pages: row[4].integer ?? 0, obstacle: row[5].text)
    }
  }

  /// What keeps a table `m` of a partition `w` from going at once: whatever would notice that a row is deleted and
  /// wouldn't notice that its table is dropped, and a right that is missing.
  private static let obstacle = """
    CASE WHEN m.relkind NOT IN ('r', 'p') THEN 'it is a foreign table'
      WHEN EXISTS (SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.confrelid IN (m.oid, w.parent))
        THEN 'a foreign key refers to it'
      WHEN EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid IN (m.oid, w.parent) AND NOT g.tgisinternal
        AND g.tgtype & 8 <> 0 AND g.tgenabled <> 'D') THEN 'it has triggers for DELETE'
      WHEN EXISTS (SELECT 1 FROM pg_rewrite r WHERE r.ev_class IN (m.oid, w.parent) AND r.ev_type = '4')
        THEN 'it has rules for DELETE'
      WHEN row_security_active(m.oid) OR row_security_active(w.parent) THEN 'policies say which of its rows are seen'
      WHEN EXISTS (SELECT 1 FROM pg_publication p JOIN pg_publication_tables u ON u.pubname = p.pubname
        JOIN pg_namespace n ON n.nspname = u.schemaname JOIN pg_class o ON o.relnamespace = n.oid
          AND o.relname = u.tablename WHERE p.pubdelete AND o.oid IN (m.oid, w.parent))
        THEN 'it is published, and subscribers would keep its rows'
      WHEN EXISTS (SELECT 1 FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = m.oid
        AND d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass) AND d.deptype = 'n')
        THEN 'a view or a function needs it'
      WHEN NOT pg_has_role(m.relowner, 'USAGE') THEN 'the user doesn''t own it: GRANT '
        || quote_ident(pg_get_userbyid(m.relowner)) || ' TO ' || quote_ident(current_user) END
    """

  /// Counts the rows of a partition.
  ///
  /// - Parameters:
  ///   - doomed: What earlier steps take.
  ///   - pages: Reads so many pages at a time; nothing reads all at once.
  ///   - between: Called between two of those.
  func count(
    _ partition: WholePartition, without doomed: DoomedRows = DoomedRows(), pages: Int64? = nil,
    on connection: any DatabaseConnection, between: () throws -> Void = {}
  ) throws -> PartitionRows {
    let time = "t.\(SQL.quoted(column.name))"
    let times = "\(column.time.instant("first")), \(column.time.instant("last"))"
    var sql = SQL("SELECT n, others, \(times) FROM (", reserved: 2)
    sql += "SELECT count(*) AS n, count(*) FILTER (WHERE ("
    sql.add(condition, of: "t")
    sql += ") IS NOT TRUE) AS others, min(\(time)) AS first, max(\(time)) AS last FROM \(partition.name) t WHERE "
    sql += pages == nil ? "TRUE" : "t.ctid >= CAST(?1 AS tid) AND t.ctid < CAST(?2 AS tid)"
    doomed.exclude(pass.table.name, as: "t", from: &sql)
    sql += ") AS counted"
    var (rows, others, found) = (0, 0, [Timestamp]())
    var page: Int64 = 0
    while true {
      let next = pages.map { page + $0 } ?? .max
      let isLast = next >= partition.pages
      // The highest number that a page can have.
      let range = [page, isLast ? 4_294_967_294 : next].map { DatabaseValue.text("(\($0),0)") }
      let row = try connection.first(sql.text, range + sql.values) ?? []
      rows += Int(row[0].integer ?? 0)
      others += Int(row[1].integer ?? 0)
      found += [row[2], row[3]].compactMap { $0.integer.map { Timestamp(microseconds: $0) } }
      guard !isLast else { break }
      page = next
      try between()
    }
    return PartitionRows(rows: rows, others: others, oldest: found.min(), newest: found.max())
  }

  /// One warning for all partitions that the same obstacle keeps.
  func warnings(_ partitions: [WholePartition]) -> [String] {
    Dictionary(grouping: partitions.filter { $0.obstacle != nil }) { $0.obstacle ?? "" }.sorted { $0.key < $1.key }.map
    {
      obstacle, kept in
      let more = kept.count > 1 ? " and \(kept.count - 1) more of \(pass.table.name)" : ""
      return "\(kept[0].name)\(more): emptied by batches instead of dropped, since \(obstacle)"
    }
  }
}

extension RowCondition {
  /// The one condition that it consists of; nothing where it consists of several.
  fileprivate var only: RowCondition? {
    switch self {
    case .all(let conditions), .any(let conditions): conditions.count == 1 ? conditions[0].only : nil
    default: self
    }
  }
}
