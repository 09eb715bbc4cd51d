import UpkeepCore

extension Catalogue {
  /// A column that a task works by.
  public struct NeededColumn: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// The setting that names it.
    public var setting: String

    /// Creates an entry.
    public init(_ name: String, _ setting: String) {
      self.name = name
      self.setting = setting
    }
  }

  /// The table that a setting names, with the columns that other settings name.
  ///
  /// - Parameters:
  ///   - name: The table's name.
  ///   - setting: The setting that names it.
  ///   - columns: The columns that it must have.
  /// - Throws: ``UpkeepCore/TaskError`` that names what is missing, and the setting to correct.
  @discardableResult
  public func table(
    _ name: String, named setting: String, with columns: [NeededColumn]
  ) throws -> TableDescription {
    guard let table = self[name] else {
      if let (problem, fix) = Self.others[otherKind(of: name) ?? ""] {
        throw TaskError(
          code: "unsupported_table", place: "table \(name)", problem: problem, fix: "\(fix) by the setting \(setting)")
      }
      throw TaskError(
        code: "missing_table", place: "table \(name)", problem: "there is no such table in the database",
        fix: Self.fix(name, among: tables.map(\.name), "check the database", setting))
    }
    for column in columns where table.column(column.name) == nil {
      throw TaskError(
        code: "missing_column", place: "table \(table.name)", problem: "it has no column \(column.name)",
        fix: Self.fix(column.name, among: table.columns.map(\.name), "check the table", column.setting))
    }
    return table
  }

  /// What has a table's name without being one that rows can be taken from.
  private static let others = [
    "partition": ("this is a partition", "name the partitioned table that it belongs to"),
    "view": ("this is a view", "name the table that its rows lie in"),
    "foreign": ("this is a foreign table", "name another table"),
  ]

  private static func fix(_ name: String, among known: [String], _ check: String, _ setting: String) -> String {
    let hint = NameSuggestion.nearest(to: name, among: known).map { "did you mean \($0)? " } ?? ""
    return "\(hint)\(check), or name another by the setting \(setting)"
  }
}
