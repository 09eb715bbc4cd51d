import ArgumentParser
import UpkeepCore
import UpkeepHost
import UpkeepRuns

struct StatsCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Count what a task watches over: rows, oldest and newest per table.",
    discussion: """
      EXAMPLES:
        upkeep stats odds_retention
        upkeep stats odds_retention --json
      """)

  @Argument(help: "The task.", completion: NameCompletion.task)
  var task: String

  @OptionGroup var options: GlobalOptions

  private struct Document: Encodable {
    let task: String
    let plugin: String
    let statistics: Statistics

    enum CodingKeys: String, CodingKey {
      case task, plugin, items, details
      case schemaVersion = "schema_version"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(RunResult.schemaVersion, forKey: .schemaVersion)
      try container.encode(task, forKey: .task)
      try container.encode(plugin, forKey: .plugin)
      try container.encode(statistics.items, forKey: .items)
      try container.encode(statistics.details, forKey: .details)
    }
  }

  func execute(_ console: Console) async throws -> ExitStatus {
    let host = try loadHost()
    let names = host.tasks.map(\.name)
    guard names.contains(task), let target = try host.targets([task]).first?.tasks.first else {
      throw UsageError.unknown("task", task, among: names)
    }
    guard target.prepared.statistics != nil else {
      throw UsageError("task \(task) has no statistics: its plugin \(target.plugin) counts nothing")
    }
    let statistics = try await host.statistics(target)
    if options.json {
      try console.printJSON(Document(task: task, plugin: target.plugin, statistics: statistics))
    } else {
      console.print(StatisticsText.lines(statistics, width: console.outputWidth))
    }
    return .done
  }
}
