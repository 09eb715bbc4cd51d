import ArgumentParser
import Foundation
import UpkeepCore
import UpkeepDemo
import UpkeepHost
import UpkeepRuns

struct DemoCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Make a folder with sample data and a configuration, then preview and run every task on it.",
    discussion: """
      EXAMPLES:
        upkeep demo demo
        upkeep demo demo --scale 10          ten times the data: two million snapshots
        upkeep demo demo --postgres postgresql://me@localhost/empty
      """)

  @Argument(help: ArgumentHelp("The folder to make; it must be empty or not exist.", valueName: "dir"))
  var folder: String

  @Option(name: .long, help: "How much data: 1 is 200,000 snapshots with their markets, and 20,000 jobs.")
  var scale = 1.0

  @Option(
    name: .long,
    help: ArgumentHelp(
      "An empty PostgreSQL database to put the applications' tables into, instead of files.", valueName: "url"))
  var postgres: String?

  @Flag(name: .long, help: "Make the data only, and run nothing.")
  var only = false

  @OptionGroup var options: GlobalOptions

  func validate() throws {
    guard scale > 0, scale <= 1000 else { throw ValidationError("Expected --scale above 0, at most 1000.") }
    guard let postgres, !postgres.hasPrefix("postgres://"), !postgres.hasPrefix("postgresql://") else { return }
    throw ValidationError("Expected --postgres with a URL such as postgresql://user@host/name.")
  }

  func execute(_ console: Console) async throws -> ExitStatus {
    let demo = DemoFolder(folder: folder, server: postgres)
    let elapsed = Host.systemClock.stopwatch()
    guard try demo.isFree() else {
      throw UsageError("\(folder) isn't empty; name a folder that is, or that doesn't exist")
    }
    console.note(["Making 45 days of sample data …"])
    let tables = try await demo.make(scale: scale, now: Host.systemWallClock.now())
    let rows = tables.reduce(0) { $0 + $1.count }
    let took = NumberText.milliseconds(elapsed().milliseconds)
    console.note(["\(demo.folder)/data: \(NumberText.counted(rows, "row")), made in \(took)", ""])
    if only { return .done }
    let platforms = StandInPlatforms(
      StandInOdds(events: 120, tournaments: 8, firstKickoff: Host.systemWallClock.now() + .seconds(3600)))
    let status = try await platforms.serve { try await show(demo, platforms, console) }
    if status == .done {
      let program = DemoText.program(
        calledAs: CommandLine.arguments.first ?? "upkeep", in: FileManager.default.currentDirectoryPath)
      console.note(DemoText.next(demo.configuration, program: program))
    }
    return status
  }

  /// Previews and runs every task on the folder, with the stand-in platforms for those that scrape.
  private func show(
    _ demo: DemoFolder, _ platforms: StandInPlatforms, _ console: Console
  ) async throws -> ExitStatus {
    let host = try Host.load(demo.configuration)
    let addresses = StandInPlatforms.names.map { name in
      SettingChange(key: "platforms.\(name).base_url", value: platforms.url(name))
    }
    let targets = try host.targets(["scraping"], changing: addresses) + host.targets(nil)
    var session = RunningSession(host: host, console: console, overrideGuard: false)
    if !options.json {
      console.note(["$ upkeep preview --all --config \(demo.configuration)"])
      let previewable = targets.filter { $0.tasks.allSatisfy { $0.prepared.preview != nil } }
      let preview = try await session.preview(previewable, json: false)
      guard preview == .done else { return preview }
    }
    console.note(["", "$ upkeep run --all --config \(demo.configuration)"])
    return try await session.run(targets, showsForecasts: false, json: options.json)
  }
}
