public import UpkeepCore
public import UpkeepDatabase

/// The settings of ``TableRetentionTask``.
public struct TableRetentionSettings: TaskSettings {
  /// The database.
  public var database = DatabaseName("")
  /// What goes, rule by rule.
  public var rules: [RetentionRule] = []

  /// Creates the defaults.
  public init() {}

  /// The declared settings.
  public static let fields: [SettingField<Self>] = [
    SettingField("database", \.database, required: true, "The name of the database"),
    SettingField("rules", \.rules, required: true, "What goes, table by table, in this order"),
  ]

  /// A task without a rule would never do anything.
  public func problems() -> [(key: String, message: String)] {
    rules.isEmpty ? [("rules", "expected at least one rule, found none")] : []
  }
}

/// How a rule says that its column holds times.
public enum TimeFormat: String, SettingEnumeration {
  /// Whatever the column's values say.
  case auto
  /// Dates and times as text.
  case text
  /// Seconds since 1970.
  case unixSeconds = "unix_seconds"
  /// Milliseconds since 1970.
  case unixMilliseconds = "unix_milliseconds"
  /// Microseconds since 1970.
  case unixMicroseconds = "unix_microseconds"
  /// Nanoseconds since 1970.
  case unixNanoseconds = "unix_nanoseconds"
  /// Julian days, as SQLite's `julianday` gives them.
  case julianDay = "julian_day"

  /// The form; nothing where it is to be found out.
  public var form: TimeForm? {
    TimeForm(rawValue: rawValue)
  }
}

/// Which rows of one table go.
///
/// A row goes when all that is given says so: it matches `where`, is older than `keep`, and is neither among the newest
/// `keep_last` of its group nor among the newest `keep_rows` of the table.
public struct RetentionRule: SettingGroup {
  /// The table.
  public var table = ""
  /// The column with a row's time.
  public var timeColumn: String?
  /// How that column holds times.
  public var timeFormat = TimeFormat.auto
  /// How long rows are kept.
  public var keep: Duration?
  /// Which rows the rule is about.
  public var condition: SQLExpression?
  /// How many of those rows stay of each group.
  public var keepLast: Int?
  /// The columns whose values make a group.
  public var per = OneOrMore<String>()
  /// How many rows of the whole table stay.
  public var keepRows: Int?

  /// Creates a rule that lacks everything.
  public init() {}

  /// The declared keys.
  public static let fields: [SettingField<Self>] = [
    SettingField("table", \.table, required: true, "The table"),
    SettingField("time_column", \.timeColumn, "The column with a row's time"),
    SettingField("time_format", \.timeFormat, "How that column holds times; auto looks at its values"),
    SettingField(
      "keep", \.keep, atLeast: .seconds(1), "How long rows are kept; needs time_column, and a row without a time stays"),
    SettingField(
      "where", \.condition, "An SQL expression: the rule is about rows for which it is true, and about no others"),
    SettingField(
      "keep_last", \.keepLast, atLeast: 1, "How many of those rows stay whatever their age, the newest of each group"),
    SettingField("per", \.per, "The column or columns whose values make a group for keep_last"),
    SettingField("keep_rows", \.keepRows, atLeast: 1, "How many rows of the whole table stay, the newest"),
  ]

  /// `key`
  public static let noun = "key"

  /// What doesn't go together.
  public func problems() -> [(key: String, message: String)] {
    var problems: [(key: String, message: String)] = []
    if table.isEmpty { problems.append(("table", "expected the name of a table")) }
    let ranks = keepLast != nil || keepRows != nil
    if keep != nil, timeColumn == nil { problems.append(("keep", "expected time_column beside it")) }
    if keepLast == nil, !per.values.isEmpty { problems.append(("per", "expected keep_last beside it")) }
    if timeColumn == nil, timeFormat != .auto {
      problems.append(("time_format", "expected time_column beside it"))
    }
    if timeColumn != nil, keep == nil, !ranks {
      problems.append(("time_column", "expected keep, keep_last or keep_rows beside it: alone it says nothing"))
    }
    if keep == nil, !ranks, condition == nil {
      problems.append(
        ("table", "expected keep, keep_last, keep_rows or where beside it: such a rule would take every row"))
    }
    return problems
  }
}
