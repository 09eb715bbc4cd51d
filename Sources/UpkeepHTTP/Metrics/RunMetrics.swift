import Synchronization
import UpkeepCore
public import UpkeepRuns

/// What runs came to since the host started, by task.
public final class RunMetrics: Sendable {
  /// The upper bounds of the histogram of durations, in seconds.
  static let bounds: [Double] = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600]

  struct Histogram {
    /// How many were at most as long as each bound, and longer than the one before.
    var counts = Array(repeating: 0, count: bounds.count)
    var count = 0
    var sum = 0.0

    mutating func add(_ seconds: Double) {
      if let index = bounds.firstIndex(where: { seconds <= $0 }) { counts[index] += 1 }
      count += 1
      sum += seconds
    }
  }

  struct TaskFigures {
    var runs: [String: Int] = [:]
    var missed: [String: Int] = [:]
    var durations = Histogram()
    var rowsDeleted = 0
    var bytesFreed = 0
    var longestHold = 0.0
    var lastSuccess: Timestamp?
  }

  struct Figures {
    var tasks: [String: TaskFigures] = [:]
    /// How long after its slot the last scheduled run started, in seconds.
    var lag = 0.0
  }

  private let figures = Mutex(Figures())

  /// Creates figures without a run.
  public init() {}

  /// Counts what runs tell, until the feed ends.
  public func follow(_ events: AsyncStream<RunEvent>) async {
    for await event in events { record(event) }
  }

  func snapshot() -> Figures {
    figures.withLock { $0 }
  }

  /// Counts one event; previews aren't counted.
  func record(_ event: RunEvent) {
    let result = event.result
    guard result.mode == .run else { return }
    switch event {
    case .started:
      guard let slot = result.scheduledAt, let start = result.startedAt else { return }
      figures.withLock { $0.lag = max(0, (start - slot).inSeconds) }
    case .finished:
      figures.withLock { $0.tasks[result.task, default: TaskFigures()].add(result) }
    default:
      return
    }
  }
}

extension RunMetrics.TaskFigures {
  mutating func add(_ result: RunResult) {
    runs[result.status.rawValue, default: 0] += 1
    if result.status == .missed { missed[Self.kind(ofMissed: result.reason ?? ""), default: 0] += 1 }
    if result.status == .completed { lastSuccess = result.finishedAt }
    guard result.startedAt != nil else { return }
    if let milliseconds = result.durationMilliseconds { durations.add(Double(milliseconds) / 1000) }
    rowsDeleted += result.tables.reduce(0) { $0 + $1.deleted }
    bytesFreed += result.counts["bytes_freed"] ?? 0
    let holds = result.details.compactMap { detail -> Double? in
      guard case .object(let members) = detail else { return nil }
      return switch members["longest_hold_ms"] {
      case .number(let milliseconds)?: milliseconds
      case .integer(let milliseconds)?: Double(milliseconds)
      default: nil
      }
    }
    longestHold = (holds.max() ?? 0) / 1000
  }

  /// One of a few words for why slots were missed, since a label must not take any number of values.
  private static func kind(ofMissed reason: String) -> String {
    if reason.contains("missed: skip") { return "skip" }
    if reason.contains("grace") { return "grace" }
    return reason.contains("run_all") ? "limit" : "other"
  }
}
