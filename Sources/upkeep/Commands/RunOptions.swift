import ArgumentParser
import UpkeepCore
import UpkeepHost

/// What `run` and `preview` take: which tasks, and what is different this time.
struct RunOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp("Tasks and groups, in this order.", valueName: "task"), completion: NameCompletion.runnable)
  var names: [String] = []

  @Flag(name: .long, help: "All enabled tasks, in the order of the file.")
  var all = false

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("A setting for this run only, such as odds_keep=7d; may be repeated.", valueName: "key=value"))
  var changes: [String] = []

  @Flag(name: .long, help: "Go on where the guard would refuse.")
  var overrideGuard = false

  func validate() throws {
    if all && !names.isEmpty { throw ValidationError("Name tasks or use --all, not both.") }
    for change in changes where !change.contains("=") || change.hasPrefix("=") {
      throw ValidationError("Expected --set KEY=VALUE, found '\(change)'.")
    }
  }

  /// The tasks and groups to run.
  func targets(in host: Host) throws -> [RunTarget] {
    let pairs = changes.map { change -> SettingChange in
      let parts = change.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return SettingChange(key: String(parts[0]), value: String(parts[1]))
    }
    let known = host.tasks.map(\.name) + host.groups.map(\.name)
    // Not asked where the words are checked: a mistyped option would be told of as this.
    if !all && names.isEmpty {
      throw UsageError("name the tasks or groups, or use --all; there are \(known.joined(separator: ", "))")
    }
    for name in names where !known.contains(name) { throw UsageError.unknown("task or group", name, among: known) }
    return try host.targets(all ? nil : names, changing: pairs)
  }
}
