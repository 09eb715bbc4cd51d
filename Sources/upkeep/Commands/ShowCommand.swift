import ArgumentParser
import UpkeepCore
import UpkeepHost
import UpkeepRuns

struct ShowCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show one recorded run whole.",
    discussion: """
      EXAMPLES:
        upkeep show 01KAJ5T3                 the id, or how it begins
        upkeep show 01KAJ5T3 --json
      """)

  @Argument(help: ArgumentHelp("The run's id, or how it begins.", valueName: "run"))
  var runID: String

  @OptionGroup var options: GlobalOptions

  func execute(_ console: Console) async throws -> ExitStatus {
    let host = try loadStoreHost()
    let store = try await host.existingStore()
    let record = try await RunFinder.find(runID, in: store)
    if options.json {
      try console.printJSON(record.result)
    } else {
      let pause = try await store?.pauses().first { $0.task == record.result.task }
      console.print(HistoryText.whole(record.result, width: console.outputWidth, paint: console.outputPaint))
      console.print(pause.map { [PauseText.line($0)] } ?? [])
    }
    return .done
  }
}
