import UpkeepCore

/// What a run is going to delete, said before it does.
enum ForecastText {
  static func lines(_ task: String, _ forecast: Forecast, width: Int) -> [String] {
    let table = TableCounts.lines(forecast.tables, heading: "WILL GO", width: width - 2).map { "  \($0)" }
    guard !table.isEmpty else { return ["\(task): nothing to delete"] }
    return ["\(task): \(NumberText.counted(forecast.deleted, "row")) will go"] + table
  }
}
