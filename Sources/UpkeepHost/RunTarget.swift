public import UpkeepRuns

/// What somebody names on the command line.
public enum RunTarget: Sendable {
  /// A task.
  case task(RunnableTask)
  /// A group and its tasks, in order.
  case group(String, [RunnableTask])

  /// The tasks in it.
  public var tasks: [RunnableTask] {
    switch self {
    case .task(let task): [task]
    case .group(_, let tasks): tasks
    }
  }
}

/// `--set KEY=VALUE`: another value for this run only.
public struct SettingChange: Hashable, Sendable {
  /// `odds_keep`, `settings.odds_keep`, `limits.sync`.
  public var key: String
  /// The value as it would stand in YAML.
  public var value: String

  /// Creates a change.
  public init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}
