import ArgumentParser
import UpkeepCore
import UpkeepHost
import UpkeepRuns

struct HistoryCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "List recorded runs and previews, newest first.",
    usage: "upkeep history [<task>] [<options>]",
    discussion: """
      EXAMPLES:
        upkeep history
        upkeep history odds_retention --status failed --limit 5
        upkeep show 01K                      one run whole, by its id or how it begins
      """)

  @Argument(help: "Only this task's runs.", completion: NameCompletion.task)
  var task: String?

  @Option(name: .long, help: "At most so many, 1 to 500.")
  var limit = 50

  @Option(
    name: .long, help: "Only runs with this status, such as failed or completed.",
    completion: .list(RunStatus.allCases.map(\.rawValue)))
  var status: String?

  @Option(
    name: .long, help: ArgumentHelp("Only runs before this one: next_cursor of the page before.", valueName: "run"))
  var cursor: String?

  @OptionGroup var options: GlobalOptions

  func validate() throws {
    guard (1...500).contains(limit) else { throw ValidationError("Expected --limit 1 to 500, found \(limit).") }
    let statuses = RunStatus.allCases.map(\.rawValue)
    if let status, !statuses.contains(status) {
      throw ValidationError(UsageError.unknown("status", status, among: statuses).message + ".")
    }
  }

  func execute(_ console: Console) async throws -> ExitStatus {
    let host = try loadStoreHost()
    let store = try await host.existingStore()
    let query = RunQuery(
      task: task, status: status.flatMap(RunStatus.init(rawValue:)), before: cursor, limit: limit + 1)
    let page = RunPage(try await store?.records(query) ?? [], limit: limit)
    let names = host.tasks.map(\.name)
    // A task that was taken out of the file may still have runs.
    if let task, page.runs.isEmpty, !names.contains(task), !host.isWithoutTasks {
      throw UsageError.unknown("task", task, among: names)
    }
    if options.json {
      try console.printJSON(page)
    } else if page.runs.isEmpty {
      console.note(["no runs"])
    } else {
      console.print(HistoryText.lines(page.runs, width: console.outputWidth))
    }
    return .done
  }
}
