import Foundation
import UpkeepCore

/// A time zone's offsets around an instant, found by asking the zone for the offset at instants only.
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

  /// How far apart offsets are asked for. Two changes within it that undo each other aren't seen; there are none in the
  /// time zone database.
  static let stride = 6 * 3600
  /// More than any offset, and more than any change of an offset.
  static let reach = 26 * 3600

  let zone: TimeZone

  init(_ zone: TimeZone) {
    self.zone = zone
  }

  /// The offset from UTC at an instant.
  func offset(at instant: Int) -> Int {
    zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(instant)))
  }

  /// The segments that cover `start..<end`, cut off there.
  func segments(from start: Int, to end: Int) -> [Segment] {
    var segments: [Segment] = []
    var current = Segment(start: start, end: start, offset: offset(at: start))
    var at = start
    while at < end {
      let next = min(at + Self.stride, end)
      let found = offset(at: next)
      if found != current.offset {
        // A change lies in (at, next]: find the first instant with another offset, and look on from there.
        var (low, high) = (at, next)
        while high - low > 1 {
          let middle = low + (high - low) / 2
          if offset(at: middle) == current.offset { low = middle } else { high = middle }
        }
        current.end = high
        segments.append(current)
        current = Segment(start: high, end: high, offset: offset(at: high))
        at = high
      } else {
        at = next
      }
    }
    current.end = end
    if current.end > current.start { segments.append(current) }
    return segments
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
