public import UpkeepCore

/// One lease, or one place in the queue, as a store keeps it.
public struct LeaseEntry: Hashable, Sendable {
  /// The place: who asked first has the lower number.
  public var ticket: Int64
  /// The run.
  public var runID: String
  /// Its task.
  public var task: String
  /// Its process.
  public var owner: ProcessIdentity
  /// The tasks that must not run at the same time.
  public var exclusiveWith: [String]
  /// The fencing number; nothing while it waits.
  public var fencing: Int64?
  /// When its process last said that it lives.
  public var renewedAt: Timestamp

  /// Creates an entry.
  public init(
    ticket: Int64, runID: String, task: String, owner: ProcessIdentity, exclusiveWith: [String], fencing: Int64?,
    renewedAt: Timestamp
  ) {
    self.ticket = ticket
    self.runID = runID
    self.task = task
    self.owner = owner
    self.exclusiveWith = exclusiveWith
    self.fencing = fencing
    self.renewedAt = renewedAt
  }

  /// The entry as others see it.
  public var holder: LeaseHolder {
    LeaseHolder(runID: runID, task: task, owner: owner, isWaiting: fencing == nil)
  }
}

/// The rules of the queue for leases, the same for every store.
public enum LeaseQueue {
  /// How long a process that can't be looked up from here counts as alive after its last renewal.
  public static let timeToLive = Duration.seconds(30)

  /// Who stands in the way of a request: conflicting holders, and conflicting entries that asked earlier.
  ///
  /// Two runs conflict where they are of one task (unless the one that asks allows overlap), or where either names the
  /// other's task in `exclusive_with`.
  public static func blockers(of request: LeaseRequest, in entries: [LeaseEntry]) -> [LeaseHolder] {
    let ticket = entries.first { $0.runID == request.runID }?.ticket ?? .max
    return entries.filter { entry in
      guard entry.runID != request.runID, entry.fencing != nil || entry.ticket < ticket else { return false }
      let sameTask = entry.task == request.task && request.overlap != .allow
      return sameTask || request.exclusiveWith.contains(entry.task) || entry.exclusiveWith.contains(request.task)
    }
    .sorted { $0.ticket < $1.ticket }
    .map(\.holder)
  }

  /// What keeps a request from being granted; nothing where it may be.
  ///
  /// Free places go to those that nothing else keeps waiting, in the order in which they asked: whoever waits for a
  /// rule holds no place back, and whoever comes later overtakes nobody that could begin.
  public static func obstacle(to request: LeaseRequest, in entries: [LeaseEntry]) -> LeaseAnswer? {
    let blockers = blockers(of: request, in: entries)
    guard blockers.isEmpty else { return .blocked(by: blockers) }
    guard let limit = request.limit else { return nil }
    var free = limit - entries.count { $0.fencing != nil && $0.runID != request.runID }
    let ticket = entries.first { $0.runID == request.runID }?.ticket ?? .max
    for entry in entries where free > 0 && entry.fencing == nil && entry.ticket < ticket {
      let earlier = LeaseRequest(
        runID: entry.runID, task: entry.task, owner: entry.owner, overlap: .skip, exclusiveWith: entry.exclusiveWith,
        waits: true)
      if Self.blockers(of: earlier, in: entries).isEmpty { free -= 1 }
    }
    return free > 0 ? nil : .full
  }

  /// Why a run's process counts as dead; nothing where it doesn't.
  public static func death(
    of owner: ProcessIdentity, renewedAt: Timestamp, now: Timestamp, by inspector: any ProcessInspector
  ) -> String? {
    switch inspector.liveness(of: owner) {
    case .alive: nil
    case .gone where owner.bootID != inspector.current.bootID:
      // A purge doesn't wait for the disk at each commit: in a power cut it may have counted more than is gone.
      "its machine (\(owner.host)) went down; what it counted last may not have reached the disk, and goes next time"
    case .gone: "its process (pid \(owner.pid) on \(owner.host)) is gone"
    case .unknown where now - renewedAt > timeToLive:
      "its process (pid \(owner.pid) on \(owner.host)) hasn't been heard of for \(timeToLive.durationText)"
    case .unknown: nil
    }
  }

  /// Ends the result of a run whose process died; what it counted last stays.
  public static func interrupt(_ result: RunResult, because reason: String, at now: Timestamp) -> RunResult {
    var result = result
    result.status = .interrupted
    result.reason = reason
    result.finishedAt = now
    return result
  }
}
