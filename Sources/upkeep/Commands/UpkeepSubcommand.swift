import ArgumentParser
import UpkeepCore
import UpkeepHost

/// A command of the program: does its work and says how it ended.
protocol UpkeepSubcommand: AsyncParsableCommand {
  /// The options of every command.
  var options: GlobalOptions { get }
  /// Does the work.
  func execute(_ console: Console) async throws -> ExitStatus
}

/// What a command prints with `--json` where it has nothing else to print.
private struct ErrorDocument: Encodable {
  struct Problem: Encodable {
    let code: String
    let message: String
  }

  let error: Problem

  init(code: String, message: String) {
    error = Problem(code: code, message: message)
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
    } catch let failure as ConfigurationFailure {
      console.complain(failure.lines)
      let errors = failure.diagnostics.filter { $0.severity == .error }
      if options.json {
        let messages = errors.map { "\($0.origin.map { "\($0.text): " } ?? "")\($0.message)" }
        try console.printJSON(
          ErrorDocument(code: "invalid_configuration", message: messages.joined(separator: "\n")))
      }
      status = .configuration
    } catch let error as UsageError {
      status = try fail(.usage, "usage", error.message, console)
    } catch let error as TaskError {
      status = try fail(.failed, error.code, error.description, console)
    }
    if status != .done { throw ExitCode(status.rawValue) }
  }

  private func fail(
    _ status: ExitStatus, _ code: String, _ message: String, _ console: Console
  ) throws -> ExitStatus {
    console.complain(["\(console.errorPaint.red("error:")) \(message)"])
    if options.json { try console.printJSON(ErrorDocument(code: code, message: message)) }
    return status
  }

  /// The host of the configuration that the options name.
  func loadHost() throws -> Host {
    let host = try Host.load(options.config)
    options.console.note(host.warnings)
    return host
  }
}
