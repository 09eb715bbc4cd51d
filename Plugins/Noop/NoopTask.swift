public import UpkeepCore

/// Does nothing for a while: the smallest plugin, to copy from, and to try schedules, timeouts and alarms with.
///
/// ```yaml
/// nightly_check:
///   plugin: noop
///   interval: 24h
///   settings:
///     duration: 30s
/// ```
public struct NoopTask: PreviewableTask {
  /// What is said of it.
  public static let documentation = PluginDocumentation(
    summary: "Does nothing for a while, to try schedules, timeouts and alarms with",
    sample: """
      # Does nothing, successfully: try a schedule, a timeout or an alarm with it.
      noop:
        plugin: noop
        interval: 1h
        settings:
          duration: 10s   # how long the run takes; default 0s
          fail: false     # true: the run fails at its end, to see whether the alarm rings
      """)

  /// Creates the task.
  public init() {}

  /// Sleeps for the set duration in a hundred slices, then fails where it was told to.
  public func run(_ settings: NoopSettings, in context: TaskContext) async throws {
    let slices = settings.duration > .zero ? 100 : 0
    for slice in 0..<slices {
      let passed = settings.duration * slice / 100
      context.report(Double(slice) / 100, "Doing nothing for \((settings.duration - passed).durationText) more")
      try await context.clock.sleep(for: settings.duration / 100)
    }
    try Task.checkCancellation()
    if settings.fail {
      throw TaskError(
        code: "asked_to_fail", place: "task \(context.task)", problem: "it was told to fail",
        fix: "set settings.fail to false")
    }
  }

  /// Says that nothing would change.
  public func preview(_ settings: NoopSettings, in context: TaskContext) async throws {
    try Task.checkCancellation()
    context.report(1, "Nothing would change")
  }
}
