import ArgumentParser
import UpkeepCore
import UpkeepHost
import UpkeepRuns

struct PreviewCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "preview",
    abstract: "Say what a run would do now, and change nothing.",
    usage: "upkeep preview [<task> ...] [<options>]",
    discussion: """
      The databases are opened read-only; only the history gets an entry.

      EXAMPLES:
        upkeep preview odds_retention
        upkeep preview odds_retention --set odds_keep=7d
        upkeep preview --all --json
      """)

  @OptionGroup var runOptions: RunOptions
  @OptionGroup var options: GlobalOptions

  func execute(_ console: Console) async throws -> ExitStatus {
    let host = try loadHost()
    Host.giveBackMemory()
    var targets = try runOptions.targets(in: host)
    for case .task(let task) in targets where task.prepared.preview == nil && !runOptions.all {
      throw UsageError("task \(task.name) has no preview: its plugin \(task.plugin) can only run")
    }
    targets = targets.compactMap { target in
      switch target {
      case .task(let task):
        return task.prepared.preview == nil ? nil : target
      case .group(let name, let tasks):
        let able = tasks.filter { $0.prepared.preview != nil }
        let unable = tasks.filter { $0.prepared.preview == nil }.map(\.name)
        if !unable.isEmpty { console.note(["\(name): without a preview: \(unable.joined(separator: ", "))"]) }
        return .group(name, able)
      }
    }
    var session = RunningSession(host: host, console: console, overrideGuard: runOptions.overrideGuard)
    return try await session.preview(targets, json: options.json)
  }
}
