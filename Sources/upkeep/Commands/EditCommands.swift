import ArgumentParser
import UpkeepCore
import UpkeepHost
import UpkeepRuns

/// A command that lets the schedule start a task, or not.
protocol SwitchCommand: UpkeepSubcommand {
  /// The task.
  var task: String { get }
  /// Whether the schedule may start it afterwards.
  static var isOn: Bool { get }
}

extension SwitchCommand {
  func execute(_ console: Console) async throws -> ExitStatus {
    try await Editing.run(ConfigurationEdit(task: task, key: "enabled", value: "\(Self.isOn)"), options, console)
  }
}

struct EnableCommand: SwitchCommand {
  static let configuration = CommandConfiguration(
    commandName: "enable",
    abstract: "Let the schedule start a task: edits that one place in the YAML.",
    discussion: """
      Comments, order and every other byte of the file stay. A running serve takes it up by itself.

      EXAMPLES:
        upkeep enable odds_retention
      """)

  @Argument(help: "The task.", completion: NameCompletion.task)
  var task: String

  @OptionGroup var options: GlobalOptions

  static let isOn = true
}

struct DisableCommand: SwitchCommand {
  static let configuration = CommandConfiguration(
    commandName: "disable",
    abstract: "Keep the schedule from starting a task: edits that one place in the YAML.",
    discussion: """
      Comments, order and every other byte of the file stay. To stop a task for some hours, see upkeep pause.

      EXAMPLES:
        upkeep disable odds_retention
      """)

  @Argument(help: "The task.", completion: NameCompletion.task)
  var task: String

  @OptionGroup var options: GlobalOptions

  static let isOn = false
}

struct SetCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Change one value of a task: edits that one place in the YAML.",
    usage: "upkeep set <task> <key> <value> [<options>]",
    discussion: """
      KEY is a key of the task or one of its settings: interval, guard.max_percent, settings.odds_keep, \
      or just odds_keep where no key of a task has that name. The parts of a list are counted from 0: rules.0.keep.

      The value is checked first. Then that one scalar is changed, or one line put in; comments, order and every \
      other byte of the file stay. null takes a value away, so that the default holds.

      EXAMPLES:
        upkeep set odds_retention odds_keep 7d
        upkeep set odds_retention guard.max_percent 60
        upkeep set table_retention rules.0.keep 60d
      """)

  @Argument(help: "The task.", completion: NameCompletion.task)
  var task: String

  @Argument(help: "The key, dotted for what is deeper.", completion: NameCompletion.key)
  var key: String

  @Argument(help: "The value, as it would stand in YAML; one that begins with - comes after --.")
  var value: String

  @OptionGroup var options: GlobalOptions

  func execute(_ console: Console) async throws -> ExitStatus {
    try await Editing.run(ConfigurationEdit(task: task, key: key, value: value), options, console)
  }
}

/// Makes an edit and shows what came of it.
enum Editing {
  /// What `--json` prints.
  private struct Document: Encodable {
    let result: ConfigurationEditResult

    enum CodingKeys: String, CodingKey {
      case path, changed, changes, diff, etag, warnings
      case schemaVersion = "schema_version"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(1, forKey: .schemaVersion)
      try container.encode(result.path, forKey: .path)
      try container.encode(!result.diff.isEmpty, forKey: .changed)
      try container.encode(result.changes, forKey: .changes)
      try container.encode(result.diff, forKey: .diff)
      try container.encode(result.hash, forKey: .etag)
      try container.encode(result.warnings, forKey: .warnings)
    }
  }

  static func run(
    _ edit: ConfigurationEdit, _ options: GlobalOptions, _ console: Console
  ) async throws -> ExitStatus {
    let result: ConfigurationEditResult
    do {
      result = try await Host.editor(options.config).edit([edit], expecting: nil, scope: .all)
    } catch let refusal as EditRefusal {
      throw failure(refusal)
    }
    console.note(result.warnings)
    if options.json {
      try console.printJSON(Document(result: result))
    } else if result.diff.isEmpty {
      console.print(["\(edit.task): \(edit.key) is \(edit.value) already; nothing was changed"])
    } else {
      console.print(lines(result, paint: console.outputPaint))
    }
    return .done
  }

  private static func lines(_ result: ConfigurationEditResult, paint: Paint) -> [String] {
    result.diff.flatMap { change in
      ["\(result.path):\(change.line)"] + change.removed.map { paint.red("-\($0)") }
        + change.added.map { paint.green("+\($0)") }
    }
  }

  private static func failure(_ refusal: EditRefusal) -> any Error {
    switch refusal {
    case .unknownTask(let problem):
      UsageError(problem.message)
    case .invalid(let problems, let lines), .invalidFile(_, let problems, let lines):
      CommandFailure(.configuration, code: problems.first?.code ?? "invalid_value", refusal.message, lines: lines)
    case .unwritable(let error):
      error
    case .changedMeanwhile:
      CommandFailure(.failed, code: "changed_meanwhile", refusal.message)
    case .overridden:
      CommandFailure(.configuration, code: "overridden", refusal.message)
    case .notTunable:
      CommandFailure(.configuration, code: "not_tunable", refusal.message)
    case .unsupported:
      CommandFailure(.configuration, code: "unsupported_edit", refusal.message)
    }
  }
}
