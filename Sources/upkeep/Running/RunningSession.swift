import UpkeepCore
import UpkeepHost
import UpkeepRuns

/// Runs or previews what somebody named on the command line, and tells them how it went.
struct RunningSession {
  /// What somebody answered.
  enum Answer {
    case nothingToAsk
    case yes
    case no
    case stopped(ExitStatus)
  }

  let host: Host
  let console: Console
  let overrideGuard: Bool
  private let signals = SignalWatch()
  /// What somebody has read already, in this session.
  private var knownWarnings: Set<String> = []

  init(host: Host, console: Console, overrideGuard: Bool) {
    self.host = host
    self.console = console
    self.overrideGuard = overrideGuard
    signals.begin()
  }

  /// Shows what would go, and asks where something would.
  mutating func confirm(_ targets: [RunTarget]) async -> Answer {
    let deleting = targets.flatMap(\.tasks).filter { $0.prepared.isGuarded }
    guard !deleting.isEmpty, let store = try? host.openStore() else { return .nothingToAsk }
    var mayDelete = false
    for task in deleting {
      let result = await run(.task(task), mode: .preview, store, showsForecasts: false).results[0]
      if let status = signals.received { return .stopped(status) }
      // Said to who wants quiet, too: nobody can agree to what isn't shown.
      console.complain(
        ResultText.lines(result, width: console.errorWidth, paint: console.errorPaint, known: knownWarnings))
      knownWarnings.formUnion(result.warnings)
      let refused = result.guardVerdict.map { $0.wouldRefuse && !$0.overridden } ?? false
      mayDelete = mayDelete || !refused && result.tables.contains { $0.deleted > 0 }
    }
    guard mayDelete else { return .nothingToAsk }
    return signals.whileAsking { console.confirm("Delete this?") } ? .yes : .no
  }

  /// Previews, and prints what was found.
  mutating func preview(_ targets: [RunTarget], json: Bool) async throws -> ExitStatus {
    try await perform(targets, mode: .preview, showsForecasts: false, json: json)
  }

  /// Runs, and prints what was done.
  mutating func run(_ targets: [RunTarget], showsForecasts: Bool, json: Bool) async throws -> ExitStatus {
    try await perform(targets, mode: .run, showsForecasts: showsForecasts, json: json)
  }

  private mutating func perform(
    _ targets: [RunTarget], mode: RunMode, showsForecasts: Bool, json: Bool
  ) async throws -> ExitStatus {
    let store = try host.openStore()
    // What is wrong with the store is said of each run.
    try? await host.endDeadRuns(in: store)
    var documents: [RunDocument] = []
    for target in targets where signals.received == nil {
      let document = await run(target, mode: mode, store, showsForecasts: showsForecasts)
      documents.append(document)
      if !json { show(document, isWanted: mode == .preview) }
    }
    try? await host.endDeadRuns(in: store)
    await host.housekeep(store)
    if json {
      try console.printJSON(RunDocuments(documents: documents))
    } else if targets.isEmpty {
      console.note(["No task is enabled: nothing to do."])
    }
    let troubles = await host.settleNotices()
    console.note(troubles.map { "\(console.errorPaint.yellow("warning:")) \($0)" })
    let results = documents.flatMap(\.results)
    let wasStopped = results.contains { $0.status == .cancelled || $0.status == .interrupted }
    if let status = signals.received, wasStopped || documents.count < targets.count { return status }
    return ExitStatus.worst(of: results)
  }

  private func run(
    _ target: RunTarget, mode: RunMode, _ store: any StateStore, showsForecasts: Bool
  ) async -> RunDocument {
    let reporter = RunReporter(console: console, clock: host.clock, showsForecasts: showsForecasts)
    switch target {
    case .task(let task):
      let request = RunRequest(task: task, mode: mode, overrideGuard: overrideGuard, stop: signals.stop)
      return .run(await host.run(request, store) { reporter.observe($0) })
    case .group(let name, let tasks):
      let result = await host.run(
        group: name, tasks, mode: mode, overrideGuard: overrideGuard, stop: signals.stop, store
      ) { reporter.observe($0) }
      return .group(result)
    }
  }

  /// Shows how it went; with `--quiet` only where that is what was asked for, or what went wrong.
  private mutating func show(_ document: RunDocument, isWanted: Bool) {
    var lines: [String] = []
    if case .group(let group) = document {
      let paint = console.outputPaint
      lines.append("\(paint.bold("group \(group.group)")): \(ResultText.status(group.status, paint: paint))")
      lines += group.warnings.map { "  \(paint.yellow("warning:")) \($0)" }
    }
    for result in document.results {
      lines += ResultText.lines(
        result, width: console.outputWidth, paint: console.outputPaint, known: knownWarnings)
      knownWarnings.formUnion(result.warnings)
    }
    if console.isQuiet && !isWanted {
      for result in document.results where ExitStatus.worst(of: [result]) != .done {
        console.complain(ResultText.lines(result, width: console.errorWidth, paint: console.errorPaint))
      }
    } else {
      console.print(lines)
    }
  }
}
