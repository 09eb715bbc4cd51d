public import Foundation
import UpkeepCore

/// Turns times on the clocks of a zone, as programs write them without saying which zone, into instants.
///
/// Days are remembered, since asking a zone for its offset is slow and the times of one job lie on few days.
public struct LocalClock {
  private let zone: ZoneOffsets
  /// The one offset of a day on these clocks; no offset where the clocks change near it.
  private var days: [Int: Int?] = [:]
  private static let rememberedDays = 4096

  /// Creates a reader of one zone's clocks.
  public init(_ zone: TimeZone) {
    self.zone = ZoneOffsets(zone)
  }

  /// The last instant at which the clocks show a time: the second of two in a repeated hour, the end of the gap for a
  /// time that is left out.
  ///
  /// - Parameter local: Seconds since 1970-01-01T00:00 on these clocks.
  /// - Returns: Seconds since 1970-01-01T00:00:00Z.
  public mutating func lastInstant(showing local: Int) -> Int {
    let day = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
    let offset: Int?
    if let known = days[day] {
      offset = known
    } else {
      let segments = zone.segments(
        from: day * 86_400 - ZoneOffsets.reach, to: (day + 1) * 86_400 + ZoneOffsets.reach)
      offset = segments.count == 1 ? segments[0].offset : nil
      if days.count >= Self.rememberedDays { days.removeAll() }
      days[day] = .some(offset)
    }
    if let offset { return local - offset }
    return zone.lastInstant(showing: local)
  }
}
