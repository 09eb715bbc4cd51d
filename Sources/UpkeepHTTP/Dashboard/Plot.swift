import UpkeepCore
import UpkeepRuns

/// Rows removed and duration of a task's runs over time, as a picture; the table of runs below says the same.
enum Plot {
  private static let (width, height, left, bottom) = (720.0, 190.0, 8.0, 34.0)

  /// The picture of some runs, newest first.
  static func document(_ runs: [RunResult]) -> HTML {
    let shown = Array(runs.filter { $0.startedAt != nil }.reversed())
    guard shown.count > 1 else { return Pieces.empty("A plot needs two runs at least.") }
    let rows = shown.map { run in run.tables.reduce(0) { $0 + $1.deleted } }
    let times = shown.map { $0.durationMilliseconds ?? 0 }
    let (mostRows, longest) = (max(1, rows.max() ?? 1), max(1, times.max() ?? 1))
    let step = (width - 2 * left) / Double(shown.count)
    let room = height - bottom - 14
    func x(_ index: Int) -> Double { left + step * Double(index) }
    func y(_ part: Int, _ whole: Int) -> Double { 14 + room * (1 - Double(part) / Double(whole)) }
    let bars = shown.indices.map { index -> HTML in
      let top = rows[index] == 0 ? 14 + room : min(y(rows[index], mostRows), 14 + room - 1)
      let title =
        "\(shown[index].startedAt?.minuteText ?? "") UTC: \(NumberText.counted(rows[index], "row")), "
        + Pieces.duration(times[index])
      return """
        <a href="/runs/\(shown[index].runID)" aria-label="\(title)"><rect class="bar" x="\(place(x(index) + step * 0.15))" \
        y="\(place(top))" width="\(place(step * 0.7))" height="\(place(14 + room - top))"><title>\(title)</title></rect></a>
        """
    }
    let points = shown.indices.map { "\(place(x($0) + step / 2)),\(place(y(times[$0], longest)))" }
    let dots = shown.indices.map { index -> HTML in
      """
      <circle class="dot" cx="\(place(x(index) + step / 2))" cy="\(place(y(times[index], longest)))" r="2.5"/>
      """
    }
    let base = place(14 + room)
    return """
      <figure><svg class="plot" viewBox="0 0 720 190" role="group" aria-label="Rows removed and duration of \
      the last \(shown.count) runs">
      <line class="axis" x1="8" x2="712" y1="\(base)" y2="\(base)"/>\(bars)
      <polyline class="line" points="\(points.joined(separator: " "))"/>\(dots)
      <text class="soft" x="8" y="174" data-date="\(shown.first?.startedAt?.rfc3339 ?? "")">\(shown.first?.startedAt?.minuteText ?? "")</text>
      <text class="soft" x="712" y="174" text-anchor="end" data-date="\(shown.last?.startedAt?.rfc3339 ?? "")">\(shown.last?.startedAt?.minuteText ?? "") UTC</text>
      </svg><figcaption class="legend"><span>Bars: rows removed, at most \(NumberText.grouped(mostRows))</span>
      <span>Line: duration, at most \(Pieces.duration(longest))</span></figcaption></figure>
      """
  }

  /// A coordinate with one digit behind the point.
  static func place(_ value: Double) -> String { NumberText.tenths(value) }
}
