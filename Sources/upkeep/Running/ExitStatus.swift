import UpkeepCore

/// The program's exit statuses.
enum ExitStatus: Int32, CaseIterable {
  /// Done, or nothing to do.
  case done = 0
  /// A task failed.
  case failed = 1
  /// The guard refused.
  case refused = 2
  /// Completed, but some steps failed.
  case completedWithErrors = 3
  /// The configuration is invalid.
  case configuration = 4
  /// A concurrency rule kept a task from starting.
  case skipped = 5
  /// A task took longer than its timeout.
  case timedOut = 6
  /// Wrong usage.
  case usage = 64
  /// Stopped by SIGINT.
  case interrupted = 130
  /// Stopped by SIGTERM.
  case terminated = 143

  /// What a run's end means for the program's.
  init(_ status: RunStatus) {
    self =
      switch status {
      case .completed: .done
      case .completedWithErrors: .completedWithErrors
      case .refused: .refused
      case .skipped, .missed, .queued: .skipped
      case .timedOut: .timedOut
      case .failed, .cancelled, .interrupted, .running: .failed
      }
  }

  /// The statuses of tasks, the worst first.
  private static let worstFirst: [ExitStatus] = [
    .failed, .timedOut, .refused, .completedWithErrors, .skipped, .done,
  ]

  /// The worst of several tasks' ends.
  static func worst(of results: [RunResult]) -> ExitStatus {
    let statuses = results.map { result in
      // The guard only says what it would do to a preview.
      result.mode == .preview && result.status == .refused ? .done : ExitStatus(result.status)
    }
    return worstFirst.first { statuses.contains($0) } ?? .done
  }
}
