import UpkeepCore
import UpkeepRuns

/// What a run is going to delete, said before it does.
enum ForecastText {
  static func lines(_ task: String, _ forecast: Forecast, width: Int) -> [String] {
    let table = TableCounts.lines(forecast.tables, heading: "WILL GO", width: width - 2).map { "  \($0)" }
    if forecast.deleted == 0, !forecast.errors.isEmpty {
      return ["\(task): what would go couldn't be counted (\(forecast.errors.map(\.step).joined(separator: ", ")))"]
        + table
    }
    guard forecast.deleted > 0 else { return ["\(task): nothing to delete"] + table }
    return ["\(task): \(NumberText.counted(forecast.deleted, "row")) will go"] + table
  }
}
