import ArgumentParser
import UpkeepCore
import UpkeepHost
import UpkeepRuns

/// A command of the program: does its work and says how it ended.
protocol UpkeepSubcommand: AsyncParsableCommand {
  /// The options of every command.
  var options: GlobalOptions { get }
  /// Does the work.
  func execute(_ console: Console) async throws -> ExitStatus
}

/// What a command prints with `--json` where it has nothing else to print.
struct ErrorDocument: Encodable {
  struct Problem: Encodable {
    let code: String
    let message: String
  }

  let error: Problem
}

/// What ends a command with a status of its own.
struct CommandFailure: Error {
  var status: ExitStatus
  /// A stable word for programs.
  var code: String
  var message: String
  /// The same for people, where it is more than a sentence.
  var lines: [String] = []

  init(_ status: ExitStatus, code: String, _ message: String, lines: [String] = []) {
    self.status = status
    self.code = code
    self.message = message
    self.lines = lines
  }

  /// A failure of any kind that commands know.
  init?(_ error: any Error) {
    switch error {
    case let failure as CommandFailure:
      self = failure
    case let failure as ConfigurationFailure:
      let errors = failure.diagnostics.filter { $0.severity == .error }
      let messages = errors.map { "\($0.origin.map { "\($0.text): " } ?? "")\($0.message)" }
      self.init(
        .configuration, code: "invalid_configuration", messages.joined(separator: "\n"), lines: failure.lines)
    case let error as UsageError: self.init(.usage, code: "usage", error.message)
    case let error as TaskError: self.init(.failed, code: error.code, error.description)
    default: return nil
    }
  }
}

/// What was asked for can't be done as it was asked.
struct UsageError: Error {
  var message: String

  init(_ message: String) {
    self.message = message
  }

  /// An unknown name, with the known one that is nearest.
  static func unknown(_ what: String, _ name: String, among known: [String]) -> UsageError {
    let hint =
      NameSuggestion.nearest(to: name, among: known).map { "did you mean \($0)?" }
      ?? (known.isEmpty ? "there is none" : "there are \(known.joined(separator: ", "))")
    return UsageError("unknown \(what) \(name); \(hint)")
  }
}

extension UpkeepSubcommand {
  /// Runs the command and turns what went wrong into words on standard error and an exit status; with `--json` into a
  /// document as well.
  func run() async throws {
    let console = options.console
    let status: ExitStatus
    do {
      status = try await execute(console)
    } catch {
      guard let failure = CommandFailure(error) else { throw error }
      let line = "\(console.errorPaint.red("error:")) \(failure.message)"
      let width = console.errorWidth
      console.complain(failure.lines.isEmpty ? TextTable.wrapped(line, to: width, indent: 2) : failure.lines)
      if options.json {
        try console.printJSON(ErrorDocument(error: .init(code: failure.code, message: failure.message)))
      }
      status = failure.status
    }
    if status != .done { throw ExitCode(status.rawValue) }
  }

  /// The host for a command that needs the state store only: where a task isn't valid it goes on without the tasks.
  func loadStoreHost() throws -> Host {
    do {
      return try loadHost()
    } catch let failure as ConfigurationFailure {
      guard let host = try? Host.loadWithoutTasks(options.config) else { throw failure }
      let wrong = failure.diagnostics.count { $0.severity == .error }
      options.console.note([
        "\(options.console.errorPaint.yellow("warning:")) \(host.path) isn't valid "
          + "(\(NumberText.counted(wrong, "error")), see upkeep validate); its host: part is"
      ])
      return host
    }
  }

  /// The host of the configuration that the options name.
  func loadHost() throws -> Host {
    let host = try Host.load(options.config)
    options.console.note(host.warnings)
    return host
  }
}
