import UpkeepCore
import UpkeepRuns

/// Starts runs for the routes, and says why one can't be started.
struct RunStarts: Sendable {
  let commands: any RunCommands
  let runs: any RunStore
  let clock: any Clock<Duration>

  /// How long an answer waits for what becomes of a run that nobody waits for.
  private static let glance = Duration.milliseconds(250)

  /// Starts a run.
  func start(_ request: StartRequest) async throws(Problem) -> StartedRun {
    do {
      return try await commands.start(request)
    } catch {
      switch error {
      case .unknownTask(let name): throw SiteParts.unknownTask(name)
      case .stopping: throw Problem(503, "stopping", "the host stops and starts no more runs")
      case .invalid(let problems): throw Problem(422, "invalid", problems.map(\.message).joined(separator: "; "))
      case .store(let error): throw Problem(error)
      }
    }
  }

  /// Starts a run and waits for its end.
  func result(_ request: StartRequest) async throws(Problem) -> RunResult {
    await follow(try await start(request), waits: true)
  }

  /// The run at its end; or, where nobody waits for that, as soon as it is known whether it starts or is forbidden. A run
  /// that waits for a place may not be known of for long.
  func follow(_ run: StartedRun, waits: Bool) async -> RunResult {
    let first = run.record.result
    return await withTaskGroup(of: RunResult?.self) { group in
      group.addTask {
        var result = first
        for await event in run.events {
          result = event.result
          if result.status.isFinal || !waits { break }
        }
        return result
      }
      if !waits {
        group.addTask { [clock] in
          try? await clock.sleep(for: Self.glance)
          return nil
        }
      }
      defer { group.cancelAll() }
      return await group.next().flatMap(\.self) ?? first
    }
  }

  /// How much the data may have moved since a preview, in percent of what it found.
  static let tolerance = 10.0

  /// Makes sure that a run would do about what a preview said: previews again and compares.
  ///
  /// - Throws: A problem `moved` with the new preview, where the number of rows that would go of any table (of a task
  ///   that removes none: any of its counts) differs by more than 10 %.
  func agree(to preview: String, of task: TaskStatus) async throws {
    guard let agreed = try await runs.record(preview)?.result, agreed.mode == .preview, agreed.task == task.name,
      agreed.status == .completed || agreed.status == .completedWithErrors
    else {
      throw Problem(422, "no_such_preview", "preview: there is no finished preview \(preview) of \(task.name)")
    }
    let present = try await result(StartRequest(task: task.name, mode: .preview))
    guard present.status == .completed || present.status == .completedWithErrors else {
      throw Problem(
        409, "preview_failed", "the data can't be looked at again: \(present.reason ?? present.status.rawValue)",
        more: ["run_id": .string(present.runID), "url": .string(RunRoutes.url(present.runID))])
    }
    let moves = Self.moves(from: agreed.parts, to: present.parts)
    guard let worst = moves.first else { return }
    let others = moves.count == 1 ? "" : " (and \(moves.count - 1) more)"
    let (before, now) = (NumberText.grouped(worst.before), NumberText.grouped(worst.now))
    throw Problem(
      409, "moved",
      "the data moved since the preview: \(worst.name) \(before) then, \(now) now\(others); "
        + "look at the new preview and run that one",
      more: [
        "run_id": .string(present.runID), "url": .string(RunRoutes.url(present.runID)),
        "preview": JSONValue(present),
      ])
  }
}

extension RunStarts {
  /// What differs by more than is agreed to, that which moved furthest first.
  fileprivate static func moves(
    from before: [String: Int], to now: [String: Int]
  ) -> [(name: String, before: Int, now: Int)] {
    Set(before.keys).union(now.keys).map { (name: $0, before: before[$0] ?? 0, now: now[$0] ?? 0) }
      .filter { Double(abs($0.now - $0.before)) * 100 > tolerance * Double($0.before) }
      .sorted { (abs($1.now - $1.before), $0.name) < (abs($0.now - $0.before), $1.name) }
  }
}

extension RunResult {
  /// What it is about, by name: rows that go by table; for a task that removes none, its counts.
  var parts: [String: Int] {
    tables.isEmpty ? counts : Dictionary(tables.map { ($0.table, $0.deleted) }, uniquingKeysWith: +)
  }
}
