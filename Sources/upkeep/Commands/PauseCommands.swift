import ArgumentParser
import Foundation
import UpkeepCore
import UpkeepHost
import UpkeepRuns

struct PauseCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Keep the schedule from starting a task for a while.",
    usage: "upkeep pause <task> [<options>]",
    discussion: """
      A pause lives in the state store, not in the YAML, and takes the place of an earlier one. A run by hand ignores \
      it. Without --for and --until it holds until upkeep resume.

      EXAMPLES:
        upkeep pause odds_retention --for 2h --why "migration"
        upkeep pause odds_retention --until 2026-12-24T18:00Z
        upkeep pause odds_retention
      """)

  @Argument(help: "The task.", completion: NameCompletion.task)
  var task: String

  // What begins with - is a value as well: a negative one is told so.
  @Option(
    name: .customLong("for"), parsing: .unconditional,
    help: ArgumentHelp("How long, such as 2h.", valueName: "duration"))
  var length: String?

  @Option(name: .long, help: ArgumentHelp("Until when: a date and time, UTC unless it says more.", valueName: "time"))
  var until: String?

  @Option(name: .customLong("why"), help: ArgumentHelp("Why, for those who wonder.", valueName: "text"))
  var reason = ""

  @OptionGroup var options: GlobalOptions

  func execute(_ console: Console) async throws -> ExitStatus {
    let host = try loadStoreHost()
    try TaskFinder.check(task, in: host)
    let now = host.wallClock.now()
    let pause = TaskPause(task: task, until: try end(now: now), reason: reason, by: NSUserName(), since: now)
    try await host.openStore().pause(pause)
    if options.json {
      try console.printJSON(PauseDocument(task: task, pause: pause))
    } else {
      console.print(["paused \(task) \(PauseText.end(pause))"])
    }
    return .done
  }

  private func end(now: Timestamp) throws -> Timestamp? {
    do throws(PauseEnd.Problem) {
      return try PauseEnd.of(length: length, until: until, now: now, mark: "--")
    } catch {
      throw UsageError(error.message)
    }
  }
}

struct ResumeCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "End a pause.",
    discussion: """
      EXAMPLES:
        upkeep resume odds_retention
      """)

  @Argument(help: "The task.", completion: NameCompletion.task)
  var task: String

  @OptionGroup var options: GlobalOptions

  func execute(_ console: Console) async throws -> ExitStatus {
    let host = try loadStoreHost()
    let store = try await host.existingStore()
    // A task that is gone from the file may still be paused.
    let isKnown = try await store?.pauses().contains { $0.task == task } ?? false
    if !isKnown { try TaskFinder.check(task, in: host) }
    let wasPaused = try await store?.resume(task) ?? false
    if options.json {
      try console.printJSON(PauseDocument(task: task, pause: nil))
    } else {
      console.print([wasPaused ? "resumed \(task)" : "\(task) isn't paused"])
    }
    return .done
  }
}

/// Tells whether a task exists.
private enum TaskFinder {
  /// - Throws: ``UsageError`` where there is no such task.
  static func check(_ name: String, in host: UpkeepHost.Host) throws {
    let known = host.tasks.map(\.name)
    // Without the tasks nobody knows; a pause of none does no harm.
    guard !known.contains(name), !host.isWithoutTasks else { return }
    if host.groups.contains(where: { $0.name == name }) {
      throw UsageError("\(name) is a group; name one of its tasks")
    }
    throw UsageError.unknown("task", name, among: known)
  }
}

/// What `pause` and `resume` print for programs.
private struct PauseDocument: Encodable {
  let task: String
  let pause: TaskPause?

  enum CodingKeys: String, CodingKey {
    case task, paused, pause
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(task, forKey: .task)
    try container.encode(pause != nil, forKey: .paused)
    try container.encode(pause.map(PauseFacts.init), forKey: .pause)
  }
}
