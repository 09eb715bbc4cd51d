import Synchronization
import UpkeepCore
import UpkeepRuns

/// Tells on standard error how runs go on: a bar that is drawn again and again on a terminal, lines in a log.
final class RunReporter: Sendable {
  /// How often a log gets a line at most.
  static let interval = Duration.seconds(10)

  private struct State {
    var hasBar = false
    var sinceLine: (@Sendable () -> Duration)?
  }

  private let console: Console
  private let clock: any Clock<Duration>
  /// Whether the runs' forecasts are shown; not where somebody has just seen and confirmed them.
  private let showsForecasts: Bool
  private let state = Mutex(State())

  init(console: Console, clock: any Clock<Duration>, showsForecasts: Bool) {
    self.console = console
    self.clock = clock
    self.showsForecasts = showsForecasts
  }

  /// Takes an event of a run.
  func observe(_ event: RunEvent) {
    guard !console.isQuiet else { return }
    state.withLock { state in
      switch event {
      case .queued(let result, let holders):
        let waiting = holders.map { "\($0.task) (run \($0.runID))" }.joined(separator: ", ")
        let place = "a place: as many runs work as host.max_concurrent_runs lets"
        say(["\(result.task): waits for \(holders.isEmpty ? place : waiting)"], &state)
      case .started(let result):
        // In a log, the id is what somebody needs to cancel the run; on a terminal there is Control-C.
        if result.mode == .run && !console.canRedraw { say(["\(result.task): run \(result.runID) started"], &state) }
        state.sinceLine = clock.stopwatch()
      case .forecast(let result, let forecast):
        if showsForecasts { say(ForecastText.lines(result.task, forecast, width: console.errorWidth), &state) }
      case .progress(let result):
        show(result, &state)
      case .finished:
        clear(&state)
      case .released:
        break
      }
    }
  }

  private func show(_ result: RunResult, _ state: inout State) {
    if console.canRedraw {
      console.errors.write("\r\u{1B}[2K" + ProgressText.bar(result, width: console.errorWidth))
      state.hasBar = true
    } else if state.sinceLine.map({ $0() >= Self.interval }) ?? true {
      console.note([ProgressText.line(result)])
      state.sinceLine = clock.stopwatch()
    }
  }

  private func say(_ lines: [String], _ state: inout State) {
    clear(&state)
    console.note(lines)
  }

  private func clear(_ state: inout State) {
    guard state.hasBar else { return }
    console.errors.write("\r\u{1B}[2K")
    state.hasBar = false
  }
}
