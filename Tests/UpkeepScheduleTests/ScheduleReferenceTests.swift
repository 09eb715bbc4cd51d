import Foundation
import Testing
import UpkeepSchedule

/// The README's table of expressions says what the program says.
@Suite struct ScheduleReferenceTests {
  @Test func theTableOfExpressionsIsTrue() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    let table = try #require(readme.components(separatedBy: "<!-- schedules -->\n").last)
    let rows = table.components(separatedBy: "<!-- end -->")[0].split(separator: "\n").dropFirst(2)
    #expect(rows.count >= 10)
    for row in rows {
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let expression = try CronExpression(cells[0].trimmingCharacters(in: ["`"]))
      #expect(expression.words == cells[1], "\(row)")
    }
  }
}
