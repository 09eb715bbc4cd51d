import Foundation
import UpkeepCore

/// A time zone's offsets around an instant: from the system's time zone database where it has the zone, else found by
/// asking Foundation for the offset at instants.
///
/// `Calendar.nextDate` is wrong around changes of the clocks (half-hour gaps, repeated hours), so local times are turned
/// into instants here from offsets. All numbers are whole seconds; `local` means seconds since 1970-01-01T00:00 on the
/// zone's clocks.
struct ZoneOffsets {
  /// A stretch of time with one offset; `end` isn't part of it.
  struct Segment: Equatable {
    var start: Int
    var end: Int
    var offset: Int
  }

  /// How far apart Foundation is asked for offsets. Two changes within it that undo each other aren't seen; there are
  /// none in the time zone database.
  private static let stride = 6 * 3600
  /// More than any offset, and more than any change of an offset.
  static let reach = 26 * 3600

  private let zone: TimeZone
  private let table: ZoneTable?

  init(_ zone: TimeZone) {
    self.init(zone, table: ZoneTable.named(zone.identifier))
  }

  init(_ zone: TimeZone, table: ZoneTable?) {
    self.zone = zone
    self.table = table
  }

  /// The offset from UTC at an instant.
  func offset(at instant: Int) -> Int {
    table?.offset(at: instant) ?? zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(instant)))
  }

  /// The segments that cover `start..<end`, cut off there.
  func segments(from start: Int, to end: Int) -> [Segment] {
    guard start < end else { return [] }
    var segments = [Segment(start: start, end: end, offset: offset(at: start))]
    while let last = segments.last, let change = change(after: last.start, before: end, offset: last.offset) {
      segments[segments.count - 1].end = change.at
      segments.append(Segment(start: change.at, end: end, offset: change.offset))
    }
    return segments
  }

  /// The first change between two instants, given the offset at the earlier.
  private func change(after start: Int, before end: Int, offset known: Int) -> (at: Int, offset: Int)? {
    if let table {
      return table.change(after: start).flatMap { $0.at < end ? $0 : nil }
    }
    var at = start
    while at < end - 1 {
      let next = min(at + Self.stride, end - 1)
      if offset(at: next) != known {
        // A change lies in (at, next]: find the first instant with another offset.
        var (low, high) = (at, next)
        while high - low > 1 {
          let middle = low + (high - low) / 2
          if offset(at: middle) == known { low = middle } else { high = middle }
        }
        return (high, offset(at: high))
      }
      at = next
    }
    return nil
  }

  /// The greatest local time that the clocks have shown up to an instant, that instant included.
  func latestLocal(through instant: Int) -> Int {
    segments(from: instant - Self.reach, to: instant + 1).map { $0.end - 1 + $0.offset }.max()
      ?? instant + offset(at: instant)
  }

  /// The first instant at which the clocks show a local time or a later one: the first of two in a repeated hour, the
  /// end of the gap for a time that is left out.
  func firstInstant(showing local: Int) -> Int {
    let segments = segments(from: local - Self.reach, to: local + 2 * Self.reach)
    for segment in segments where segment.end - 1 + segment.offset >= local {
      return max(segment.start, local - segment.offset)
    }
    return local - offset(at: local)
  }

  /// The last instant at which the clocks show a local time: the second of two in a repeated hour, the end of the gap
  /// for a time that is left out.
  func lastInstant(showing local: Int) -> Int {
    let segments = segments(from: local - Self.reach, to: local + 2 * Self.reach)
    for segment in segments.reversed() {
      let instant = local - segment.offset
      if instant >= segment.start, instant < segment.end { return instant }
    }
    return firstInstant(showing: local)
  }
}
