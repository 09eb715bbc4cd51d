import UpkeepCore
import UpkeepDatabase

extension BatchWalk {
  /// Lets others write. Where the log has grown large enough it is brought into the file and begun anew.
  mutating func yield(_ pause: Duration, spent: @Sendable () -> Duration) async throws {
    let log = purge.session.logState()
    let isDue = log.map { governor.wantsNewLog($0, batch: lastFrames) } ?? false
    if isDue { try await purge.keeper?.checkpoint() }
    try await awaitWriters(pause, spent: spent)
    if isDue, let log, let keeper = purge.keeper {
      // Commits that came meanwhile keep the log from being begun anew. Most of them are brought into the file first; the
      // few that come even then go under the lock, which is followed by a pause like that of a batch.
      try await keeper.checkpoint()
      lastCommits = purge.session.logState()?.commits
      let watch = context.clock.stopwatch()
      let isNew = try await keeper.beginNewLog()
      let hold = watch()
      governor.note(log: isNew ? nil : log)
      if governor.othersWrite {
        try await awaitWriters(BatchGovernor.pause(after: hold), spent: context.clock.stopwatch())
      }
    }
    if let log, log.bytes > purge.bounds.log { try await awaitNewLog() }
    try await awaitDisk()
  }

  /// Pauses until the writers that waited have committed and no more commits follow, or the pause is over.
  ///
  /// A writer whose commit takes long, since the disk is busy, has its turn all the same: while somebody writes the pause
  /// isn't over, up to a limit.
  private mutating func awaitWriters(_ pause: Duration, spent: @Sendable () -> Duration) async throws {
    guard pause > .zero else { return }
    var commits = lastCommits
    var (haveCommitted, haveLocked, isPatient) = (false, false, false)
    var (end, since) = (pause, spent())
    while true {
      let (now, time) = (purge.session.logState()?.commits, spent())
      if now != commits {
        if haveCommitted { governor.note(gap: time - since) }
        (commits, haveCommitted, since) = (now, true, time)
      }
      if governor.looksForLocks, !haveCommitted, !haveLocked {
        haveLocked = try await purge.session.isBeingWritten()
      }
      var isOver = haveCommitted && time - since >= governor.lull
      if !isOver, time >= end {
        if haveCommitted || isPatient {
          isOver = true
        } else {
          (end, isPatient) = (end + governor.patience, true)
        }
      }
      if isOver {
        guard time < end + BatchGovernor.courtesy, try await purge.session.isBeingWritten() else { break }
      }
      try await context.clock.sleep(for: BatchGovernor.glance)
    }
    if haveLocked { governor.noteLock() }
    if purge.keeper != nil { governor.note(committed: haveCommitted) }
  }

  /// Waits while a reader of another program keeps the log from being begun anew, so that it doesn't grow without end.
  private func awaitNewLog() async throws {
    guard let keeper = purge.keeper else { return }
    while let log = purge.session.logState(), log.bytes > purge.bounds.log {
      if try await keeper.beginNewLog() { return }
      context.report(
        nil, "waiting: a reader of another program keeps the log of \(log.bytes >> 20) MB from being emptied")
      try await context.clock.sleep(for: .milliseconds(100))
      try await keeper.checkpoint()
    }
  }

  private func awaitDisk() async throws {
    while let free = purge.database.freeDisk(), free < purge.bounds.disk {
      let wanted = purge.bounds.disk(besideFile: purge.database.fileSize())
      guard free < wanted else { return }
      context.report(
        nil, "waiting: only \(free >> 20) MB of the disk are free; \(wanted >> 20) MB are wanted, at least")
      try await context.clock.sleep(for: .seconds(1))
    }
  }
}
