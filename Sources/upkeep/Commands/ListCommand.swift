import ArgumentParser
import UpkeepCore
import UpkeepHost
import UpkeepRuns

struct ListCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the tasks: enabled, schedule, last outcome, next run.",
    discussion: """
      EXAMPLES:
        upkeep list
        upkeep list --json
      """)

  @OptionGroup var options: GlobalOptions

  func execute(_ console: Console) async throws -> ExitStatus {
    let host = try loadHost()
    let store = try await host.existingStore()
    let lastRuns = try await store?.lastRuns() ?? [:]
    let running = Set(try await store?.holders().filter { !$0.isWaiting }.map(\.task) ?? [])
    let pauses = try await store?.pauses() ?? []
    let tasks = if let store { try await host.tasks(store) } else { host.tasks }
    let rows = tasks.map { task in
      TaskRow(
        task: task, lastRun: lastRuns[task.name], isRunning: running.contains(task.name),
        pause: pauses.first { $0.task == task.name })
    }
    if options.json {
      try console.printJSON(["tasks": rows])
    } else {
      let lines = TaskRow.lines(
        rows, now: host.wallClock.now(), width: console.outputWidth, paint: console.outputPaint)
      console.print(lines + GroupText.lines(host.groups) + rows.compactMap(\.pause).map(PauseText.line))
      let isScheduled = tasks.contains { $0.isEnabled && ($0.interval != nil || $0.cron != nil) }
      if isScheduled, try await store?.servingNow() == nil {
        console.note(["no upkeep serve works on this: nothing starts by itself"])
      }
    }
    return .done
  }
}
