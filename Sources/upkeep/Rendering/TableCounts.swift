import UpkeepCore
import UpkeepRuns

/// What goes, or went, by table.
enum TableCounts {
  /// A table of the tables with rows; with a share of the whole where totals are known. Nothing where no row goes.
  static func lines(_ tables: [TableResult], heading: String, width: Int) -> [String] {
    let concerned = tables.filter { $0.deleted > 0 || $0.keptReferenced > 0 || $0.keptExcepted > 0 }
    guard !concerned.isEmpty else { return [] }
    let hasTotals = concerned.contains { $0.total != nil }
    let hasKept = concerned.contains { $0.keptReferenced > 0 }
    let hasExcepted = concerned.contains { $0.keptExcepted > 0 }
    var columns: [TextTable.Column] = [.text("TABLE", shrinks: true), .number(heading)]
    if hasTotals { columns += [.number("OF"), .number("SHARE")] }
    if hasKept { columns.append(.number("KEPT")) }
    if hasExcepted { columns.append(.number("EXCEPTED")) }
    columns += [.text("OLDEST"), .text("NEWEST")]
    // Where minutes make the table too wide, days have to do.
    let full = TextTable(columns: columns, rows: rows(concerned, hasTotals, hasKept, hasExcepted) { $0.minuteText })
    let table =
      full.naturalWidth <= width
      ? full : TextTable(columns: columns, rows: rows(concerned, hasTotals, hasKept, hasExcepted) { $0.dateText })
    let notes = [
      hasKept ? "KEPT: old enough to go, but rows that stay refer to them\(holders(concerned))" : nil,
      hasExcepted ? "EXCEPTED: named under except, or a row that belongs to them is" : nil,
    ]
    return table.lines(width: width)
      + notes.compactMap(\.self).flatMap { TextTable.wrapped($0, to: width, indent: 2) }
  }

  /// Where the rows are that keep others: ` (scrape_runs: from odds_snapshots)`.
  private static func holders(_ tables: [TableResult]) -> String {
    let parts = tables.filter { !$0.referencedBy.isEmpty }.map {
      "\($0.table): from \($0.referencedBy.joined(separator: ", "))"
    }
    return parts.isEmpty ? "" : " (\(parts.joined(separator: "; ")))"
  }

  private static func rows(
    _ tables: [TableResult], _ hasTotals: Bool, _ hasKept: Bool, _ hasExcepted: Bool,
    time: (Timestamp) -> String
  ) -> [[String]] {
    tables.map { table in
      var row = [table.table, NumberText.grouped(table.deleted)]
      if hasTotals { row += [table.total.map(NumberText.grouped) ?? "", share(table)] }
      if hasKept { row.append(table.keptReferenced == 0 ? "" : NumberText.grouped(table.keptReferenced)) }
      if hasExcepted { row.append(table.keptExcepted == 0 ? "" : NumberText.grouped(table.keptExcepted)) }
      return row + [table.oldest.map(time) ?? "", table.newest.map(time) ?? ""]
    }
  }

  private static func share(_ table: TableResult) -> String {
    guard let total = table.total, total > 0 else { return "" }
    return "\(NumberText.tenths(100 * Double(table.deleted) / Double(total))) %"
  }
}
