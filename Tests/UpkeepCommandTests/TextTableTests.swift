import Testing

@testable import upkeep

/// Tables that fit a width.
@Suite struct TextTableTests {
  private static let table = TextTable(
    columns: [.text("NAME", shrinks: true), .number("ROWS"), .text("WHY")],
    rows: [["a_rather_long_name", "12", "x"], ["b", "1,200", ""]])

  @Test func alignsColumns() {
    #expect(
      Self.table.lines(width: 80) == [
        "NAME                 ROWS  WHY",
        "a_rather_long_name     12  x",
        "b                   1,200",
      ])
  }

  @Test func shrinksTheColumnThatMay() {
    #expect(
      Self.table.lines(width: 24) == [
        "NAME           ROWS  WHY",
        "a_rather_lo…     12  x",
        "b             1,200",
      ])
  }

  /// Nothing is cut off: the last column goes on below, beside the others where there is room for it.
  @Test func foldsTheLastColumn() {
    let table = TextTable(
      columns: [.text("KEY"), .text("WHAT IT IS")],
      rows: [["keep", "how long rows stay, counted from now on"], ["b", ""]])
    #expect(table.folded(width: 80) == table.lines(width: 80))
    #expect(
      table.folded(width: 34) == [
        "KEY   WHAT IT IS", "keep  how long rows stay, counted", "      from now on", "b",
      ])
    #expect(
      table.folded(width: 26) == ["KEY", "keep", "    how long rows stay,", "    counted from now on", "b"])
  }

  /// Nor is what the others have no room for.
  @Test func showsWhatItHasToCutBelow() {
    let table = TextTable(
      columns: [.text("KEY"), .text("VALUE", shrinks: true), .text("FROM")],
      rows: [["rules", "one two three four five six", "u.yaml:5"], ["keep", "30d", ""]])
    #expect(
      table.folded(width: 24) == [
        "KEY    VALUE", "rules  one two three fo…", "    one two three four", "    five six", "    u.yaml:5",
        "keep   30d",
      ])
  }

  @Test func breaksALongLineBetweenWords() {
    let line = "  warning: one two three fourfive"
    #expect(
      TextTable.wrapped(line, to: 20, indent: 4) == ["  warning: one two", "    three fourfive"])
    #expect(TextTable.wrapped(line, to: line.count, indent: 4) == [line])
    // What is longer than the line stays whole, and what goes into a file isn't broken at all.
    #expect(TextTable.wrapped("a \(String(repeating: "b", count: 30)) c", to: 20, indent: 2).count == 3)
    let long = String(repeating: "word ", count: 100)
    #expect(TextTable.wrapped(long, to: Console.widthOfFiles, indent: 4) == [long])
  }

  /// Colours take no room on the terminal.
  @Test func countsOnlyWhatIsSeen() {
    let paint = Paint(isOn: true)
    let line = "  \(paint.yellow("warning:")) one two three"
    #expect(TextTable.wrapped(line, to: 24, indent: 4) == [line])
    #expect(TextTable.wrapped(line, to: 23, indent: 4) == ["  \(paint.yellow("warning:")) one two", "    three"])
    #expect(Paint.width(of: line) == 24)
  }

  @Test(arguments: 1...40) func neverPassesTheWidth(width: Int) {
    #expect(Self.table.lines(width: width).allSatisfy { $0.count <= width })
  }

  @Test func takesRowsThatAreTooShort() {
    let table = TextTable(columns: [.text("A"), .text("B")], rows: [["x"]])
    #expect(table.lines(width: 80) == ["A  B", "x"])
  }

  @Test(arguments: [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("abcd", 1, "…"), ("", 0, "")])
  func truncates(text: String, width: Int, result: String) {
    #expect(TextTable.truncated(text, to: width) == result)
  }
}
