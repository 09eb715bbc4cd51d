import UpkeepCore
import UpkeepRuns

/// What a task watches over, for people.
enum StatisticsText {
  static func lines(_ statistics: Statistics, width: Int) -> [String] {
    TextTable(
      columns: [.text("TABLE", shrinks: true), .number("ROWS"), .text("OLDEST"), .text("NEWEST")],
      rows: statistics.items.map { item in
        [
          item.name, NumberText.grouped(item.count), item.oldest?.minuteText ?? "", item.newest?.minuteText ?? "",
        ]
      }
    ).lines(width: width)
  }
}
