import UpkeepCore
import UpkeepRuns

/// A group's run that this process hears nothing of, since another one runs it, or it is long over: its events are made
/// of the records of its members, which are looked at once a second.
actor RecordedGroup {
  private static let lookInterval = Duration.seconds(1)
  /// After so many looks without news a comment says that the stream lives.
  private static let looksWithoutNews = 15

  private var group: GroupResult
  private var told: String?
  private var hasBegun: Bool
  private let groups: GroupRuns
  private let clock: any Clock<Duration>

  /// Follows a group.
  init(_ group: GroupResult, has last: String?, groups: GroupRuns, clock: any Clock<Duration>) {
    self.group = group
    self.groups = groups
    self.clock = clock
    told = last.flatMap { $0.hasPrefix(group.runID) ? $0 : nil }
    hasBegun = told != nil
  }

  /// The id of the event that says how a group stands: another one for each change of it.
  static func id(of group: GroupResult) -> String { RecordedRun.id(group.runID, group) }

  /// The next piece; nothing after the group's end.
  func next() async -> [UInt8]? {
    for look in 0... {
      if !hasBegun {
        hasBegun = true
        return EventLog.bytes("run", "\(group.runID)-start", group)
      }
      let id = Self.id(of: group)
      if told != id {
        told = id
        return EventLog.bytes(group.status.isFinal ? "end" : "progress", id, group)
      }
      if group.status.isFinal { return nil }
      if look == Self.looksWithoutNews { return Array(":\n\n".utf8) }
      guard (try? await clock.sleep(for: Self.lookInterval)) != nil, let news = try? await groups.document(group.runID)
      else { return nil }
      group = news
    }
    return nil
  }
}
