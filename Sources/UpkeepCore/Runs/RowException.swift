/// Rows that no deleting task may touch, whatever its rules select: a legal hold.
///
/// An excepted row is neither deleted nor changed, not even by what becomes of a row that it belongs to: then that row
/// stays, too.
public struct RowException: Hashable, Sendable {
  /// Which rows of the table.
  public enum Rows: Hashable, Sendable {
    /// Those for which an SQL expression is true; where it is NULL the row isn't excepted, as in a query's WHERE.
    case matching(String)
    /// Those with these primary keys.
    case keys([RowKey])
  }

  /// The database that it holds for; nothing means every one that the task works on.
  public var database: String?
  /// The table.
  public var table: String
  /// Which of its rows.
  public var rows: Rows

  /// Creates an exception.
  public init(database: String? = nil, table: String, rows: Rows) {
    self.database = database
    self.table = table
    self.rows = rows
  }
}

extension TaskContext {
  /// The exceptions that hold for a database.
  public func exceptions(in database: String) -> [RowException] {
    exceptions.filter { $0.database == nil || $0.database == database }
  }
}
