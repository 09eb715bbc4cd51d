import UpkeepCore
import UpkeepRuns

/// The file as some edits would leave it, and what they change in it.
struct EditPlan: Sendable {
  /// The bytes that are to be written.
  var bytes: [UInt8]
  /// The values that change.
  var changes: [ConfigurationChange] = []
  /// The lines that change.
  var diff: [LineChange] = []
  /// What is odd about the configuration then.
  var warnings: [String] = []
}

/// Works out edits of a configuration's bytes: a pure function of bytes and edits.
///
/// The values are checked first, by the one validator. Then each is spliced into the bytes, and the result is read back:
/// it must be the same tree but for the one scalar, and the same configuration but for the one value.
struct EditPlanner {
  let loader: ConfigurationLoader
  /// The file, as it was given.
  let path: String
  /// The absolute folder where relative paths start.
  let folder: String

  /// One edit, once its key is found and its value is checked.
  private struct Step {
    var edit: ConfigurationEdit
    var key: TaskKeyPath
    var value: ScalarText
    /// The key's path in the effective configuration.
    var name: String { "tasks.\(edit.task).\(key.text)" }
  }

  /// Works out edits.
  /// - Throws: Why they can't be made.
  func plan(_ edits: [ConfigurationEdit], scope: EditScope, on bytes: [UInt8]) throws(EditRefusal) -> EditPlan {
    let before = loader.load(bytes, path: path, folder: folder)
    guard let configuration = before.configuration else { throw Self.invalidFile(before, path) }
    var steps: [Step] = []
    for edit in edits { steps.append(try step(edit, scope, before, configuration)) }
    let wanted = try check(steps, bytes, before)
    var plan = EditPlan(bytes: bytes)
    var made: [Step] = []
    for step in steps where !isAlready(step, configuration, wanted) {
      let earlier = plan.bytes
      plan.bytes = try spliced(step, into: earlier)
      let (old, new) = (
        loader.load(earlier, path: path, folder: folder), loader.load(plan.bytes, path: path, folder: folder)
      )
      plan.diff.append(LineDifference.between(old.source, new.source))
      made.append(step)
    }
    var after = loader.load(plan.bytes, path: path, folder: folder)
    guard let now = after.configuration else {
      Self.advise(made, in: &after)
      throw Self.invalid(after)
    }
    plan.changes = try changes(made, from: configuration, to: now, wanted)
    let earlier = Set(before.diagnostics.map(\.message))
    let renderer = DiagnosticRenderer(after.source)
    plan.warnings = after.diagnostics.filter { !earlier.contains($0.message) }.map { renderer.render($0) }
    return plan
  }

  // MARK: Keys and values

  private func step(
    _ edit: ConfigurationEdit, _ scope: EditScope, _ loaded: LoadedConfiguration, _ configuration: HostConfiguration
  ) throws(EditRefusal) -> Step {
    let names = configuration.tasks.map(\.name)
    guard let task = configuration.task(edit.task), let node = loaded.tree?["tasks"]?[edit.task] else {
      if ["host", "databases", "groups"].contains(edit.task) {
        throw .unknownTask(
          Diagnostic(
            code: "unknown_task", "\(edit.task) is no task; the keys of \(edit.task) are changed in the file",
            at: .commandLine()))
      }
      throw .unknownTask(.unknown("task", edit.task, code: "unknown_task", known: names, at: .commandLine()))
    }
    let plugin = loader.plugins.first { $0.id == task.plugin }
    let key: TaskKeyPath
    do throws(Diagnostic) {
      guard
        let found = try TaskKeyPath.find(
          TaskKeyPath.parts(of: edit.key), of: node, plugin: plugin, at: .commandLine())
      else { throw Diagnostic(code: "unknown_plugin", "its plugin is unknown") }
      key = found
    } catch {
      throw invalid([error])
    }
    if scope == .tunable, !key.isTunable { throw .notTunable(task: edit.task, key: key.text) }
    let step = Step(edit: edit, key: key, value: try value(edit, key))
    let variables = overriding(step, configuration)
    guard variables.isEmpty else { throw .overridden(task: edit.task, key: key.text, variables: variables) }
    return step
  }

  private func value(_ edit: ConfigurationEdit, _ key: TaskKeyPath) throws(EditRefusal) -> ScalarText {
    guard !edit.value.isEmpty else {
      throw invalid([
        Diagnostic(
          code: "bad_value",
          "\(key.text): expected a value, found nothing; null takes it away, and \"\" is an empty text")
      ])
    }
    guard !edit.value.contains("${") else {
      throw invalid([
        Diagnostic(code: "bad_value", "\(key.text): a value with variables can only be written into the file")
      ])
    }
    var problems: [Diagnostic] = []
    let node = OverrideValue.node(edit.value, origin: .commandLine(), problems: &problems)
    guard problems.isEmpty, let node else { throw invalid(problems) }
    let mayBeQuoted =
      switch key.kind {
      case .integer, .number, .boolean: false
      default: true
      }
    switch node.content {
    case .list, .map:
      throw .unsupported(
        task: edit.task, key: key.text, reason: "only a single value can be set; write a list or a map into the file")
    default:
      let quotes = edit.value.first
      let isQuoted = edit.value.count > 1 && quotes == edit.value.last && (quotes == "'" || quotes == "\"")
      let style: YAMLNode.ScalarStyle = isQuoted ? (quotes == "'" ? .singleQuoted : .doubleQuoted) : .plain
      return ScalarText(text: node.text, style: style, mayBeQuoted: mayBeQuoted)
    }
  }

  /// The environment variables that a value comes from.
  private func overriding(_ step: Step, _ configuration: HostConfiguration) -> [String] {
    var names = [step.name]
    let parts = step.key.path
    for count in 1..<max(1, parts.count) {
      names.append("tasks.\(step.edit.task).\(parts.prefix(count).joined(separator: "."))")
    }
    // A schedule of one kind takes the place of the other.
    if let rival = Self.rival[step.key.text] { names.append("tasks.\(step.edit.task).\(rival)") }
    let found = configuration.effective.entries.filter { names.contains($0.key) || $0.key.hasPrefix(step.name + ".") }
    // Parts of a list have no entry of their own.
    let own = configuration.effective[step.name]?.variable
    return Array(Set((found.map(\.variable) + [own]).compactMap(\.self))).sorted()
  }

  /// Checks all values at once by the one validator.
  /// - Returns: The configuration with them.
  private func check(
    _ steps: [Step], _ bytes: [UInt8], _ before: LoadedConfiguration
  ) throws(EditRefusal) -> HostConfiguration {
    var loader = loader
    for step in steps {
      loader.overrides.append(TaskOverride(task: step.edit.task, key: step.key.text, value: step.edit.value))
    }
    let checked = loader.load(bytes, path: path, folder: folder)
    guard let configuration = checked.configuration else {
      throw invalid(checked.diagnostics.filter { $0.severity == .error && !before.diagnostics.contains($0) })
    }
    return configuration
  }

  /// The key that can't be given beside another.
  private static let rival = ["interval": "cron", "cron": "interval"]

  /// Adds how to take away what a schedule can't be given beside.
  private static func advise(_ steps: [Step], in loaded: inout LoadedConfiguration) {
    for index in loaded.diagnostics.indices where loaded.diagnostics[index].code == "schedule_conflict" {
      for step in steps {
        guard let other = rival[step.key.text] else { continue }
        loaded.diagnostics[index].message += ": upkeep set \(step.edit.task) \(other) null"
      }
    }
  }

  private func isAlready(_ step: Step, _ configuration: HostConfiguration, _ wanted: HostConfiguration) -> Bool {
    let (old, new) = (configuration.effective[step.name], wanted.effective[step.name])
    return old?.value == new?.value && old?.digest == new?.digest && old != nil
  }

  // MARK: Bytes

  private func spliced(_ step: Step, into bytes: [UInt8]) throws(EditRefusal) -> [UInt8] {
    let text = SourceText(bytes)
    func refusal(_ reason: String) -> EditRefusal {
      .unsupported(task: step.edit.task, key: step.key.text, reason: reason)
    }
    guard let root = YAMLParser.parse(text, path: path).root else { throw refusal("the file can't be read as YAML") }
    let keys = ["tasks", step.edit.task] + step.key.path
    if let variables = variables(at: keys, in: root), !variables.isEmpty {
      throw .overridden(task: step.edit.task, key: step.key.text, variables: variables)
    }
    let splices: [YAMLSplice]
    do throws(YAMLSpliceRefusal) {
      splices = try YAMLSpliceFinder(text, root: root, value: step.value)
        .splices(for: keys, siblings: [[], []] + step.key.siblings)
    } catch {
      throw refusal(error.reason)
    }
    for splice in splices {
      let proposal = splice.applied(to: bytes)
      let (tree, problems) = YAMLParser.parse(SourceText(proposal), path: path)
      guard problems.isEmpty, let tree, tree.differs(from: root, onlyAt: keys[...], as: step.value) else { continue }
      return proposal
    }
    throw refusal("its place can't be changed without touching others; change it in the file")
  }

  /// The variables that the scalar at a path is made of.
  private func variables(at keys: [String], in root: YAMLNode) -> [String]? {
    var node = root
    for key in keys {
      guard let part = node.resolved.part(key) else { return nil }
      node = part
    }
    guard case .scalar(let text, _) = node.resolved.content else { return nil }
    return VariableExpansion.names(in: text)
  }

  // MARK: Values

  private func changes(
    _ steps: [Step], from old: HostConfiguration, to new: HostConfiguration, _ wanted: HostConfiguration
  ) throws(EditRefusal) -> [ConfigurationChange] {
    let changes = old.effective.changes(to: new.effective)
    for change in changes {
      let key = change.task.map { "tasks.\($0).\(change.key)" } ?? change.key
      let isMeant = steps.contains { step in
        // A map that came into being brings the defaults of its other keys along.
        let parent = step.name.split(separator: ".").dropLast().joined(separator: ".")
        return key == step.name || step.name.hasPrefix(key + ".") || key.hasPrefix(step.name + ".")
          || (old.effective[key] == nil && key.hasPrefix(parent + ".") && new.effective[key]?.isStandard == true)
      }
      guard isMeant else {
        throw .unsupported(
          task: steps.first?.edit.task ?? "", key: steps.first?.key.text ?? "",
          reason: "this would change \(key) as well; change it in the file")
      }
    }
    for step in steps {
      let (found, meant) = (new.effective[step.name], wanted.effective[step.name])
      guard found?.value == meant?.value, found?.digest == meant?.digest else {
        throw .unsupported(
          task: step.edit.task, key: step.key.text,
          reason: "the file would give \(found?.value.text ?? "none") instead of \(meant?.value.text ?? "none")")
      }
    }
    return steps.map { step in
      ConfigurationChange(
        task: step.edit.task, key: step.key.text, old: old.effective[step.name]?.value ?? .null,
        new: new.effective[step.name]?.value ?? .null)
    }
  }

  /// The problems of the file as the edit would leave it.
  private static func invalid(_ loaded: LoadedConfiguration) -> EditRefusal {
    let (problems, lines) = errors(loaded)
    return .invalid(problems, lines: lines)
  }

  /// The problems of the file as it stands.
  static func invalidFile(_ loaded: LoadedConfiguration, _ path: String) -> EditRefusal {
    let (problems, lines) = errors(loaded)
    return .invalidFile(path: path, problems, lines: lines)
  }

  private static func errors(_ loaded: LoadedConfiguration) -> ([Diagnostic], lines: [String]) {
    let renderer = DiagnosticRenderer(loaded.source)
    let problems = loaded.diagnostics.filter { $0.severity == .error }
    return (problems, problems.map { renderer.render($0) })
  }

  /// Problems of an edit itself: they stand nowhere in a file.
  private func invalid(_ problems: [Diagnostic]) -> EditRefusal {
    let renderer = DiagnosticRenderer(ConfigurationSource(path: path, text: SourceText([])))
    let placeless = problems.map { problem in
      var problem = problem
      if case .commandLine = problem.origin { problem.origin = nil }
      return problem
    }
    return .invalid(placeless, lines: placeless.map { renderer.render($0) })
  }
}
