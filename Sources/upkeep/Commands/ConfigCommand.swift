import ArgumentParser
import UpkeepCore
import UpkeepHost

struct ConfigCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Show the effective configuration, and where each value comes from.",
    discussion: """
      Secrets are hidden.

      EXAMPLES:
        upkeep config
        UPKEEP_TASKS__ODDS_RETENTION__INTERVAL=12h upkeep config
      """)

  @OptionGroup var options: GlobalOptions

  private struct Document: Encodable {
    let path: String
    let values: [EffectiveValue]
  }

  func execute(_ console: Console) async throws -> ExitStatus {
    let host = try loadHost()
    if options.json {
      try console.printJSON(Document(path: host.path, values: host.effectiveValues))
    } else {
      let table = TextTable(
        columns: [.text("KEY"), .text("VALUE", shrinks: true), .text("FROM", shrinks: true)],
        rows: host.effectiveValues.map { [$0.key, $0.value.text, $0.origin] })
      console.print(table.folded(width: console.outputWidth))
    }
    return .done
  }
}
