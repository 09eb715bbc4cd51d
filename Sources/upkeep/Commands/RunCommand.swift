import ArgumentParser
import UpkeepCore
import UpkeepHost

struct RunCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run tasks or groups now, enabled or not.",
    usage: "upkeep run [<task> ...] [<options>]",
    discussion: """
      On a terminal it shows what would be deleted and asks first, with --quiet \
      and --json as well; elsewhere it never asks.

      EXAMPLES:
        upkeep run odds_retention
        upkeep run odds_retention --set odds_keep=7d --override-guard
        upkeep run --all --yes
        upkeep run odds_retention --json --quiet > result.json
      """)

  @OptionGroup var runOptions: RunOptions
  @OptionGroup var options: GlobalOptions

  @Flag(name: .shortAndLong, help: "Don't ask before something is deleted.")
  var yes = false

  func execute(_ console: Console) async throws -> ExitStatus {
    let host = try loadHost()
    let targets = try runOptions.targets(in: host)
    // What the runs keep in memory takes its place.
    Host.giveBackMemory()
    var session = RunningSession(host: host, console: console, overrideGuard: runOptions.overrideGuard)
    var asked = false
    if !yes && console.canAsk {
      switch await session.confirm(targets) {
      case .nothingToAsk: break
      case .yes: asked = true
      case .no:
        console.note(["Nothing was deleted."])
        return .done
      case .stopped(let status): return status
      }
    }
    return try await session.run(targets, showsForecasts: !asked, json: options.json)
  }
}
