public import UpkeepCore
public import UpkeepDatabase

/// Which rows of a table a rule selects.
public indirect enum RowCondition: Hashable, Sendable {
  /// Every row.
  case always
  /// Rows whose time lies strictly before an instant. Rows whose time is NULL or can't be read aren't selected.
  case older(column: String, than: Timestamp, as: TimeForm = .text)
  /// Rows whose column is one of some texts. The time of a rule is what its rows are found by: an index on this column
  /// isn't used.
  case isOneOf(column: String, values: [String])
  /// Rows whose column is NULL.
  case isNull(column: String)
  /// Rows for which an SQL expression is true.
  case matching(RowExpression)
  /// Rows that aren't among the newest.
  case outranked(RowRanking)
  /// One of the others, as a server wants it: made of them when a plan is.
  case server(ServerCondition)
  /// Rows that meet one of the conditions.
  case any([RowCondition])
  /// Rows that meet all of the conditions.
  case all([RowCondition])
}

/// What goes from one table, and what is said of it.
public struct DeletionRule: Hashable, Sendable {
  /// The name of the step, for errors and progress.
  public var name: String
  /// The table.
  public var table: String
  /// Which of its rows.
  public var condition: RowCondition
  /// The column with the time of a row, for the oldest and the newest deleted.
  public var timeColumn: String?
  /// How that column holds times.
  public var timeForm: TimeForm
  /// Whether only rows go that nothing refers to, as in "tournaments without events": then rows that are referred to
  /// are no exception worth counting.
  public var selectsUnreferenced: Bool

  /// Creates a rule.
  public init(
    name: String, table: String, condition: RowCondition, timeColumn: String? = nil, timeForm: TimeForm = .text,
    selectsUnreferenced: Bool = false
  ) {
    self.name = name
    self.table = table
    self.condition = condition
    self.timeColumn = timeColumn
    self.timeForm = timeForm
    self.selectsUnreferenced = selectsUnreferenced
  }
}
