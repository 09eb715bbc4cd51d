import UpkeepCore

/// One entry of `except`, of a task or of a database.
struct ExceptKeys: SettingGroup {
  var table = ""
  var condition: SQLExpression?
  var keys: [RowKey]?

  static let noun = "key"
  static let fields: [SettingField<Self>] = [
    SettingField("table", \.table, required: true, "The table"),
    SettingField("where", \.condition, "An SQL expression: rows for which it is true are never touched"),
    SettingField("keys", \.keys, "Primary keys of rows that are never touched"),
  ]

  func problems() -> [(key: String, message: String)] {
    if table.isEmpty { return [("table", "expected the name of a table")] }
    if keys?.isEmpty == true { return [("keys", "expected at least one key")] }
    return switch (condition, keys) {
    case (nil, nil): [("table", "expected where or keys beside it, to say which rows")]
    case (_?, _?): [("keys", "where and keys can't both be given; write two entries")]
    default: []
    }
  }

  /// The exception; nothing where something is wrong with it.
  func exception(in database: String?) -> RowException? {
    if let condition { return RowException(database: database, table: table, rows: .matching(condition.text)) }
    return keys.map { RowException(database: database, table: table, rows: .keys($0)) }
  }
}
