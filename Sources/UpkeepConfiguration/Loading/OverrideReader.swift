import UpkeepCore

extension ConfigurationReader {
  /// The tasks with the values that the environment and the command line put in place of the file's.
  mutating func overridden(_ tasks: [ConfigurationEntry]) -> [ConfigurationEntry] {
    var tasks = tasks
    applyScrapeInterval(&tasks)
    for variable in environment.keys.sorted() where variable.hasPrefix(Self.prefix) {
      apply(variable: variable, to: &tasks)
    }
    for (override, origin) in overrides { apply(override, origin, to: &tasks) }
    return tasks
  }

  /// How the variables begin that change tasks.
  static let prefix = "UPKEEP_TASKS__"

  /// `SCRAPE_INTERVAL_MINUTES`, which the media application sets, for tasks of its plugin.
  private mutating func applyScrapeInterval(_ tasks: inout [ConfigurationEntry]) {
    let variable = "SCRAPE_INTERVAL_MINUTES"
    guard let text = environment[variable], !text.isEmpty else { return }
    let scraping = tasks.indices.filter { Self.pluginID(tasks[$0].key, tasks[$0].value) == "scraping" }
    guard !scraping.isEmpty else { return }
    let origin = ValueOrigin.environment(variable: variable)
    guard case .integer(let minutes) = CoreSchema.content(ofPlain: text), minutes >= 1, minutes <= 52_596_000 else {
      report("bad_value", "expected a whole number of minutes of at least 1, found \"\(text)\"", origin)
      return
    }
    let node = ConfigurationNode(.string("\(minutes)m"), text: "\(minutes)m", origin: origin)
    for index in scraping { tasks[index].set(["interval"], to: node) }
  }

  private mutating func apply(variable: String, to tasks: inout [ConfigurationEntry]) {
    let origin = ValueOrigin.environment(variable: variable)
    let rest = String(variable.dropFirst(Self.prefix.count))
    let matching = tasks.indices.filter { rest.uppercased().hasPrefix(tasks[$0].key.uppercased() + "__") }
    guard let index = matching.max(by: { tasks[$0].key.count < tasks[$1].key.count }) else {
      let name = rest.lowercased().split(separator: "_").joined(separator: "_")
      let task = rest.lowercased().replacing("__", with: "\n").split(separator: "\n").first.map(String.init) ?? name
      let problem = Diagnostic.unknown(
        "task", task, code: "unknown_task", known: tasks.map(\.key), at: origin)
      problems.append(problem)
      return
    }
    let parts = rest.dropFirst(tasks[index].key.count + 2).lowercased()
      .replacing("__", with: ".").split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    apply(parts, environment[variable] ?? "", origin, to: &tasks[index])
  }

  private mutating func apply(_ override: TaskOverride, _ origin: ValueOrigin, to tasks: inout [ConfigurationEntry]) {
    guard let index = tasks.firstIndex(where: { $0.key == override.task }) else {
      problems.append(
        .unknown("task", override.task, code: "unknown_task", known: tasks.map(\.key), at: origin))
      return
    }
    apply(TaskKeyPath.parts(of: override.key), override.value, origin, to: &tasks[index])
  }

  private mutating func apply(
    _ parts: [String], _ text: String, _ origin: ValueOrigin, to task: inout ConfigurationEntry
  ) {
    let plugin = plugins.first { $0.id == Self.pluginID(task.key, task.value) }
    let path: [String]
    do throws(Diagnostic) {
      guard let found = try TaskKeyPath.find(parts, of: task.value, plugin: plugin, at: origin) else { return }
      path = found.path
    } catch {
      problems.append(error)
      return
    }
    guard let value = OverrideValue.node(text, origin: origin, problems: &problems) else { return }
    task.set(path, to: value)
    // Only one of the two makes sense, and what is said later counts.
    if path == ["interval"], !value.isNull { task.remove("cron") }
    if path == ["cron"], !value.isNull { task.remove("interval") }
  }
}

/// Reads the value of an override as it would stand in YAML.
enum OverrideValue {
  /// The value: a plain scalar, or a list, map or quoted text in YAML's flow style.
  ///
  /// An empty text is none: it is what is left of a variable that isn't set.
  static func node(_ text: String, origin: ValueOrigin, problems: inout [Diagnostic]) -> ConfigurationNode? {
    guard !text.allSatisfy(\.isWhitespace) else {
      problems.append(
        Diagnostic(code: "missing_value", "expected a value, found nothing; null means the default", at: origin))
      return nil
    }
    guard let first = text.first, let last = text.last,
      first == "[" || first == "{" || (text.count > 1 && first == last && (first == "\"" || first == "'"))
    else {
      return ConfigurationNode(CoreSchema.content(ofPlain: text), text: text, origin: origin)
    }
    let source = SourceText(Array(text.utf8))
    let (root, found) = YAMLParser.parse(source, path: "")
    for problem in found { problems.append(Diagnostic(code: problem.code, problem.message, at: origin)) }
    guard let root, found.isEmpty else { return nil }
    // Variables are put into the file's texts only.
    var conversion = NodeConversion(text: source, path: "", environment: [:], expands: false)
    return conversion.convert(root).moved(to: origin)
  }
}

extension ConfigurationNode {
  /// The same value from another origin, down to its parts.
  fileprivate func moved(to origin: ValueOrigin) -> ConfigurationNode {
    var node = self
    node.origin = origin
    switch content {
    case .list(let items): node.content = .list(items.map { $0.moved(to: origin) })
    case .map(let entries):
      node.content = .map(
        entries.map { ConfigurationEntry(key: $0.key, keyOrigin: origin, value: $0.value.moved(to: origin)) })
    default: break
    }
    return node
  }

  /// Puts a value at a path, making maps on the way; the parts of a list are there already.
  fileprivate mutating func set(_ path: ArraySlice<String>, to value: ConfigurationNode) {
    guard let key = path.first else {
      self = value
      return
    }
    if case .list(var items) = content, let number = Int(key), items.indices.contains(number) {
      items[number].set(path.dropFirst(), to: value)
      content = .list(items)
      return
    }
    var entries = entries
    let index = entries.firstIndex { $0.key == key } ?? entries.count
    if index == entries.count {
      let empty = ConfigurationNode(.map([]), origin: value.origin)
      entries.append(ConfigurationEntry(key: key, keyOrigin: value.origin, value: empty))
    }
    entries[index].value.set(path.dropFirst(), to: value)
    if path.count == 1 { entries[index].keyOrigin = value.origin }
    if case .map = content {} else { origin = value.origin }
    content = .map(entries)
  }
}

extension ConfigurationEntry {
  fileprivate mutating func set(_ path: [String], to node: ConfigurationNode) {
    value.set(path[...], to: node)
  }

  fileprivate mutating func remove(_ key: String) {
    guard case .map(let entries) = value.content else { return }
    value.content = .map(entries.filter { $0.key != key })
  }
}
