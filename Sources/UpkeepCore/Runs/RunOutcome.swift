/// Whether a run changes anything.
public enum RunMode: String, Codable, Sendable {
  /// It does its work.
  case run
  /// It only says what a run would do now.
  case preview
}

/// What started a run.
public enum RunTrigger: String, Codable, Sendable, CaseIterable {
  /// Somebody at the command line.
  case manual
  /// Its schedule.
  case scheduled
  /// The start of `serve`.
  case startup
  /// The HTTP API.
  case api
}

/// How a run stands or ended.
public enum RunStatus: String, Codable, Sendable, CaseIterable {
  /// It did all it had to.
  case completed
  /// Some steps failed, the others are done.
  case completedWithErrors = "completed_with_errors"
  /// It failed.
  case failed
  /// Somebody stopped it.
  case cancelled
  /// It took longer than its timeout.
  case timedOut = "timed_out"
  /// A concurrency rule kept it from starting.
  case skipped
  /// The guard kept it from starting.
  case refused
  /// Its slot passed.
  case missed
  /// Its process died, or was stopped before it could end.
  case interrupted
  /// It waits for a rule.
  case queued
  /// It works.
  case running

  /// Whether the run is over.
  public var isFinal: Bool {
    self != .queued && self != .running
  }
}

/// How far a run is.
public struct RunProgress: Codable, Hashable, Sendable {
  /// 0 to 100; never falls.
  public var percent: Double
  /// What it does now.
  public var message: String

  /// Creates a state of progress.
  public init(percent: Double = 0, message: String = "") {
    self.percent = percent
    self.message = message
  }
}

/// What a run did, or a preview would do, to one table (or folder).
public struct TableResult: Codable, Hashable, Sendable {
  /// The table's name.
  public var table: String
  /// Rows deleted (in a preview: that would be).
  public var deleted: Int
  /// Rows that the rule selects but that are kept, since a row that stays refers to them.
  public var keptReferenced: Int
  /// The tables of the rows that refer to those, or to what would go along with them. One whose rows all refer to what
  /// another one keeps already isn't named.
  public var referencedBy: [String] = []
  /// Rows that the rule selects and that would go, but that an exception names, or rows that belong to them.
  public var keptExcepted: Int
  /// All rows of the table before the run; counted only where the guard needs it.
  public var total: Int?
  /// The oldest time among the deleted rows.
  public var oldest: Timestamp?
  /// The newest time among the deleted rows.
  public var newest: Timestamp?

  /// Creates a result without rows.
  public init(
    table: String, deleted: Int = 0, keptReferenced: Int = 0, keptExcepted: Int = 0, total: Int? = nil,
    oldest: Timestamp? = nil,
    newest: Timestamp? = nil
  ) {
    self.table = table
    self.deleted = deleted
    self.keptReferenced = keptReferenced
    self.keptExcepted = keptExcepted
    self.total = total
    self.oldest = oldest
    self.newest = newest
  }

  enum CodingKeys: String, CodingKey {
    case table, deleted, total, oldest, newest
    case keptReferenced = "kept_referenced"
    case referencedBy = "referenced_by"
    case keptExcepted = "kept_excepted"
  }

  /// Reads a result; what older versions didn't record is nothing.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    table = try values.decode(String.self, forKey: .table)
    deleted = try values.decode(Int.self, forKey: .deleted)
    keptReferenced = try values.decode(Int.self, forKey: .keptReferenced)
    referencedBy = try values.decodeIfPresent([String].self, forKey: .referencedBy) ?? []
    keptExcepted = try values.decodeIfPresent(Int.self, forKey: .keptExcepted) ?? 0
    total = try values.decodeIfPresent(Int.self, forKey: .total)
    oldest = try values.decodeIfPresent(Timestamp.self, forKey: .oldest)
    newest = try values.decodeIfPresent(Timestamp.self, forKey: .newest)
  }

  /// Writes every key, absent values as null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(table, forKey: .table)
    try container.encode(deleted, forKey: .deleted)
    try container.encode(keptReferenced, forKey: .keptReferenced)
    try container.encode(referencedBy, forKey: .referencedBy)
    try container.encode(keptExcepted, forKey: .keptExcepted)
    try container.encode(total, forKey: .total)
    try container.encode(oldest, forKey: .oldest)
    try container.encode(newest, forKey: .newest)
  }

  /// Adds rows that are kept, and the tables of those that refer to them.
  public mutating func keep(_ rows: Int, referencedBy tables: [String]) {
    keptReferenced += rows
    for table in tables where !referencedBy.contains(table) { referencedBy.append(table) }
  }

  /// Widens ``oldest`` and ``newest`` by the given instants.
  public mutating func widen(from oldest: Timestamp?, to newest: Timestamp?) {
    if let oldest { self.oldest = self.oldest.map { min($0, oldest) } ?? oldest }
    if let newest { self.newest = self.newest.map { max($0, newest) } ?? newest }
  }
}

/// One thing that went wrong in a run.
public struct RunError: Codable, Hashable, Sendable {
  /// The step it happened in; `run` for the run as a whole.
  public var step: String
  /// A stable name of the kind of error.
  public var code: String
  /// What happened, where, and what to do.
  public var message: String

  /// Creates an error.
  public init(step: String, code: String, message: String) {
    self.step = step
    self.code = code
    self.message = message
  }
}

/// What the guard found.
public struct GuardVerdict: Codable, Hashable, Sendable {
  /// Whether a run would be refused (or was).
  public var wouldRefuse: Bool
  /// Whether somebody overrode the guard for this run.
  public var overridden: Bool
  /// The share in percent above which a run is refused.
  public var maxPercent: Double
  /// The number of rows below which nothing is refused.
  public var minRows: Int
  /// The tables over the limit, the worst first.
  public var tables: [GuardedTable]

  /// Creates a verdict.
  public init(wouldRefuse: Bool, overridden: Bool, maxPercent: Double, minRows: Int, tables: [GuardedTable]) {
    self.wouldRefuse = wouldRefuse
    self.overridden = overridden
    self.maxPercent = maxPercent
    self.minRows = minRows
    self.tables = tables
  }

  enum CodingKeys: String, CodingKey {
    case tables, overridden
    case wouldRefuse = "would_refuse"
    case maxPercent = "max_percent"
    case minRows = "min_rows"
  }
}

/// A table of which the guard finds too much to be deleted.
public struct GuardedTable: Codable, Hashable, Sendable {
  /// The table.
  public var table: String
  /// Rows that would be deleted, cascades included.
  public var doomed: Int
  /// All its rows.
  public var total: Int
  /// The share in percent.
  public var percent: Double

  /// Creates an entry.
  public init(table: String, doomed: Int, total: Int, percent: Double) {
    self.table = table
    self.doomed = doomed
    self.total = total
    self.percent = percent
  }
}
