public import Foundation
import Logging
import UpkeepConfiguration
public import UpkeepCore
import UpkeepDatabase
import UpkeepNotices
public import UpkeepRuns
import UpkeepRuntime
import UpkeepStore

/// The composition root: a configuration with everything that is built from it.
///
/// Nothing is opened before it is needed: the state store at the first call that asks it something, a database when a
/// task asks for it.
public struct Host: Sendable {
  let configuration: HostConfiguration
  let loader: ConfigurationLoader
  /// What is odd about the configuration, for people.
  public let warnings: [String]
  /// The SHA-256 hash of the configuration file as it was loaded, in hexadecimal digits.
  public let hash: String
  /// The text of the configuration file as it was loaded, secrets masked.
  public let maskedText: String
  /// The machine's time of day.
  public static let systemWallClock: any WallClock = SystemWallClock()
  /// The machine's clock to measure and sleep with.
  public static let systemClock: any Clock<Duration> = SlicedClock(ContinuousClock())
  /// The time of day; that of the state store's server where there is one.
  public let wallClock: any WallClock
  /// The clock to measure and sleep with.
  public let clock = Host.systemClock
  let inspector = ProcProcessInspector()
  /// Tells others of runs; the same for every configuration of the process.
  let notices: RunNotices

  /// Loads a configuration.
  ///
  /// - Parameters:
  ///   - option: The file; nothing means that it is looked for.
  ///   - environment: The environment.
  /// - Throws: ``ConfigurationFailure`` with every problem.
  public static func load(
    _ option: String?, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> Host {
    let loader = ConfigurationLoader(plugins: BuiltInPlugins.all, environment: environment)
    return try Host(loader: loader, path: locate(option, environment: environment))
  }

  /// Loads what a configuration says of the host, without its tasks and groups, for those who need the state store only:
  /// a mistake in a task must not keep anybody from stopping a run.
  ///
  /// - Throws: ``ConfigurationFailure`` where even that isn't valid, with every problem of the whole file.
  public static func loadWithoutTasks(
    _ option: String?, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> Host {
    var loader = ConfigurationLoader(plugins: BuiltInPlugins.all, environment: environment)
    loader.skipsTasks = true
    return try Host(loader: loader, path: locate(option, environment: environment))
  }

  /// Whether this is a host without its tasks: see ``loadWithoutTasks(_:environment:)``.
  public var isWithoutTasks: Bool { loader.skipsTasks }

  /// Finds the configuration file.
  static func locate(_ option: String?, environment: [String: String]) throws(ConfigurationFailure) -> String {
    let found = ConfigurationLoader.lookUp(option: option, environment: environment) {
      FileManager.default.fileExists(atPath: $0)
    }
    if let found { return found }
    let message =
      "no configuration: neither \(ConfigurationLoader.standardPaths.joined(separator: " nor ")) exists; "
      + "name one with --config, or write one with upkeep init"
    throw ConfigurationFailure(
      diagnostics: [Diagnostic(code: "no_file", message)], lines: ["error: \(message) [no_file]"])
  }

  private init(loader: ConfigurationLoader, path: String) throws(ConfigurationFailure) {
    let loaded = loader.load(file: path)
    guard let configuration = loaded.configuration else { throw ConfigurationFailure(loaded) }
    // At the command line what went wrong is said at the end, so nothing is logged beside it.
    let logger = Logger(label: "upkeep") { _ in SwiftLogNoOpLogHandler() }
    self.init(
      loader: loader, configuration, loaded, notices: Self.notices(logger: logger),
      wallClock: AdjustedWallClock(Self.systemWallClock))
  }

  private init(
    loader: ConfigurationLoader, _ configuration: HostConfiguration, _ loaded: LoadedConfiguration, notices: RunNotices,
    wallClock: any WallClock
  ) {
    self.notices = notices
    self.wallClock = wallClock
    self.configuration = configuration
    self.loader = loader
    warnings = ConfigurationFailure(loaded).lines
    hash = loaded.hash
    maskedText = loaded.source.maskedText
  }

  /// The same host with another configuration.
  func with(_ configuration: HostConfiguration, _ loaded: LoadedConfiguration) -> Host {
    Host(loader: loader, configuration, loaded, notices: notices, wallClock: wallClock)
  }

  /// The configuration file, as it was given.
  public var path: String { configuration.path }

  /// The tasks, in the order of the file.
  public var tasks: [TaskOverview] { overviews(lastSlots: [:], pauses: [:]) }

  /// The tasks, in the order of the file, with what a state store knows of their slots.
  public func tasks(_ store: any StateStore) async throws -> [TaskOverview] {
    let (grids, pauses) = (try await store.grids(), try await store.pauses())
    return overviews(lastSlots: Dictionary(grids.map { ($0.task, $0.last) }) { $1 }, pauses: pauses.byTask)
  }

  private func overviews(lastSlots: [String: Timestamp], pauses: [String: TaskPause]) -> [TaskOverview] {
    let (now, host) = (wallClock.now(), inspector.current.host)
    return configuration.tasks.map { task in
      let next = task.nextRun(after: lastSlots[task.name], pause: pauses[task.name], at: now, host: host)
      return TaskOverview(task, in: configuration, nextRun: next)
    }
  }

  /// The groups, in the order of the file.
  public var groups: [GroupOverview] {
    configuration.groups.map { GroupOverview(name: $0.name, tasks: $0.tasks) }
  }

  /// Every value with its origin, secrets masked.
  public var effectiveValues: [EffectiveValue] {
    configuration.effective.entries.map(EffectiveValue.init)
  }

  /// The tasks and groups of some names; all enabled tasks where there are none.
  ///
  /// - Parameters:
  ///   - names: Names of tasks and groups, all of them known.
  ///   - changes: Settings for this time only. A change goes to each of the tasks that knows its key.
  /// - Throws: ``ConfigurationFailure`` where a change isn't valid.
  public func targets(_ names: [String]?, changing changes: [SettingChange] = []) throws -> [RunTarget] {
    let names = names ?? configuration.tasks.filter(\.isEnabled).map(\.name)
    guard !changes.isEmpty else { return targets(named: names) }
    let tasks = names.flatMap { configuration.group($0)?.tasks ?? [$0] }
    var changed = loader
    for change in changes {
      let knowing = Set(tasks.filter { knows(change.key, task: $0) })
      if knowing.isEmpty, Set(tasks).count > 1 { throw unknown(change, to: tasks) }
      // One task alone gets it all the same, so that the validator can say what is wrong.
      for task in (knowing.isEmpty ? Set(tasks) : knowing).sorted() {
        changed.overrides.append(TaskOverride(task: task, key: change.key, value: change.value))
      }
    }
    return try Host(loader: changed, path: configuration.path).targets(named: names)
  }

  private func targets(named names: [String]) -> [RunTarget] {
    names.compactMap { name in
      if let task = configuration.task(name) { return .task(task.runnable) }
      guard let group = configuration.group(name) else { return nil }
      return .group(name, group.tasks.compactMap { configuration.task($0)?.runnable })
    }
  }

  private func knows(_ key: String, task name: String) -> Bool {
    keys(ofTask: name).contains(Self.name(of: key)) || HostDescription.task.contains { $0.key == Self.name(of: key) }
  }

  private func keys(ofTask name: String) -> [String] {
    let plugin = configuration.task(name)?.plugin
    return BuiltInPlugins.all.first { $0.id == plugin }?.settings.map(\.key) ?? []
  }

  /// The setting or key in `limits.sync`, `settings.limits.sync`.
  private static func name(of key: String) -> String {
    let parts = key.split(separator: ".").map(String.init)
    return (parts.first == "settings" ? parts.dropFirst().first : parts.first) ?? ""
  }

  private func unknown(_ change: SettingChange, to tasks: [String]) -> ConfigurationFailure {
    let name = Self.name(of: change.key)
    let known = tasks.flatMap { keys(ofTask: $0) } + HostDescription.task.map(\.key)
    let suggestion = NameSuggestion.nearest(to: name, among: known)
    let hint = suggestion.map { "; did you mean \($0)?" } ?? ""
    let origin = loader.origin(of: TaskOverride(task: "", key: change.key, value: change.value))
    let message = "none of \(tasks.joined(separator: ", ")) has a setting \(name)\(hint)"
    let problem = Diagnostic(code: "unknown_setting", message, at: origin, suggestion: suggestion)
    return ConfigurationFailure(
      diagnostics: [problem], lines: ["\(origin.text): error: \(message) [unknown_setting]"])
  }
}

extension ConfigurationFailure {
  init(_ loaded: LoadedConfiguration) {
    let renderer = DiagnosticRenderer(loaded.source)
    self.init(diagnostics: loaded.diagnostics, lines: loaded.diagnostics.map { renderer.render($0) })
  }
}
