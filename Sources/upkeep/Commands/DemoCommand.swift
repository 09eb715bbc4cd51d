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
    usage: "upkeep demo <dir> [<options>]",
    discussion: """
      EXAMPLES:
        upkeep demo demo
        upkeep demo demo --scale 10          ten times the data
        upkeep demo demo --postgres postgresql://me@localhost/empty
        upkeep demo demo --platforms 8788    answers what its scraping asks for
      """)

  @Argument(
    help: ArgumentHelp(
      "The folder to make; it must be empty or not exist. With --platforms it may be a demo's.", valueName: "dir"))
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

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Run nothing, and answer for the betting platforms on this port of this machine until stopped.",
      discussion: "The configuration has their addresses. Every five minutes the odds of one match in ten move.",
      valueName: "port"))
  var platforms: Int?

  @Option(name: .long, help: "How many matches the betting platforms have.")
  var matches = 120

  @OptionGroup var options: GlobalOptions

  func validate() throws {
    guard platforms.map((1...65_535).contains) ?? true else {
      throw ValidationError("Expected --platforms with a port between 1 and 65535.")
    }
    guard (1...100_000).contains(matches) else { throw ValidationError("Expected --matches between 1 and 100000.") }
    guard scale > 0, scale <= 1000 else { throw ValidationError("Expected --scale above 0, at most 1000.") }
    guard let postgres, !postgres.hasPrefix("postgres://"), !postgres.hasPrefix("postgresql://") else { return }
    throw ValidationError("Expected --postgres with a URL such as postgresql://user@host/name.")
  }

  func execute(_ console: Console) async throws -> ExitStatus {
    let demo = DemoFolder(folder: folder, server: postgres, platformPort: platforms ?? DemoFolder.platformPort)
    // Who has a demo already may want the platforms for it.
    if platforms == nil || !demo.isMade { try await make(demo, console) }
    let standIn = StandInPlatforms(
      StandInOdds(events: matches, tournaments: 8, firstKickoff: Host.systemWallClock.now() + .seconds(3600)))
    if let platforms { return try await answer(as: standIn, on: platforms, demo, console) }
    if only { return .done }
    let status = try await standIn.serve { try await show(demo, standIn, console) }
    if status == .done {
      let program = DemoText.program(
        calledAs: CommandLine.arguments.first ?? "upkeep", in: FileManager.default.currentDirectoryPath)
      console.note(DemoText.next(demo.configuration, program: program))
    }
    return status
  }

  private func make(_ demo: DemoFolder, _ console: Console) async throws {
    let elapsed = Host.systemClock.stopwatch()
    guard try demo.isFree() else {
      throw UsageError("\(folder) isn't empty; name a folder that is, or that doesn't exist")
    }
    console.note(["Making 45 days of sample data …"])
    let tables = try await demo.make(scale: scale, now: Host.systemWallClock.now())
    let rows = tables.reduce(0) { $0 + $1.count }
    let took = NumberText.milliseconds(elapsed().milliseconds)
    console.note(["\(demo.folder)/data: \(NumberText.counted(rows, "row")), made in \(took)", ""])
    if options.json && only {
      try console.printJSON(MadeDocument(folder: demo.folder, configuration: demo.configuration, rows: rows))
    }
  }

  /// What `--only --json` prints.
  private struct MadeDocument: Encodable {
    let folder: String
    let configuration: String
    let rows: Int
  }

  /// Answers for the platforms until the program is ended.
  private func answer(
    as platforms: StandInPlatforms, on port: Int, _ demo: DemoFolder, _ console: Console
  ) async throws -> ExitStatus {
    try await platforms.serve(on: port) {
      console.note([
        "The betting platforms answer on http://127.0.0.1:\(port) until this is stopped. Try:",
        "  upkeep run scraping --config \(demo.configuration)",
      ])
      while true {
        try await Host.systemClock.sleep(for: .seconds(300))
        platforms.moveOdds(ofEvery: 10)
      }
    }
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
