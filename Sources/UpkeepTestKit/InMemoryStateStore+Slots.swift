import UpkeepCore
public import UpkeepRuns

extension InMemoryStateStore {
  /// How far the slots of each task are recorded.
  public func grids() async throws -> [TaskGrid] {
    try access { state in state.grids.values.sorted { $0.task < $1.task } }
  }

  /// Sets grids without a record.
  public func place(_ grids: [TaskGrid]) async throws {
    try access { state in
      for grid in grids { state.grids[grid.task] = grid }
    }
  }

  /// Makes the records of slots and moves their grids.
  public func record(_ entries: [SlotEntry]) async throws -> [SlotOutcome] {
    let now = wallClock.now()
    return try access { state in
      entries.map { entry -> SlotOutcome in
        let task = entry.grid.task
        guard let present = state.grids[task], present.schedule == entry.grid.schedule, present.last == entry.previous
        else { return .taken(state.grids[task]) }
        state.grids[task] = entry.grid
        if let runID = entry.joins, let slots = entry.slots, var waiting = state.records[runID]?.record,
          waiting.result.status == .queued
        {
          waiting.cover(waiting.slots.map { $0.joined(by: slots) } ?? slots)
          state.records[runID]?.record = waiting
          return .joined
        }
        for record in entry.records { state.records[record.result.runID] = (record, now) }
        return .recorded
      }
    }
  }

  /// Takes the place of the one that serves.
  public func claimServe(_ holder: ServeHolder) async throws -> ServeHolder? {
    let now = wallClock.now()
    return try access { state in
      if let present = state.serving, present.holder.owner != holder.owner,
        LeaseQueue.death(of: present.holder.owner, renewedAt: present.renewedAt, now: now, by: inspector) == nil
      {
        return present.holder
      }
      state.serving = (holder, now)
      return nil
    }
  }

  /// Says that a process lives which serves, and with it all its runs.
  public func renewServe(_ owner: ProcessIdentity) async throws {
    let now = wallClock.now()
    try access { state in
      if state.serving?.holder.owner == owner { state.serving?.renewedAt = now }
      for (id, entry) in state.records where entry.record.owner == owner && !entry.record.result.status.isFinal {
        state.records[id]?.renewedAt = now
      }
      for index in state.entries.indices where state.entries[index].owner == owner {
        state.entries[index].renewedAt = now
      }
    }
  }

  /// Gives the place back.
  public func releaseServe(_ owner: ProcessIdentity) async throws {
    try access { state in
      if state.serving?.holder.owner == owner { state.serving = nil }
    }
  }

  /// Who serves now.
  public func servingNow() async throws -> ServeHolder? {
    let now = wallClock.now()
    return try access { state in
      guard let present = state.serving,
        LeaseQueue.death(of: present.holder.owner, renewedAt: present.renewedAt, now: now, by: inspector) == nil
      else { return nil }
      return present.holder
    }
  }
}
