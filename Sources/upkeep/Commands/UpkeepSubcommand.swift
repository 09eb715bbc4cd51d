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
  /// Runs the command and turns what went wrong into words on standard error and an exit status.
  func run() async throws {
    let console = options.console
    let status: ExitStatus
    do {
      status = try await execute(console)
    } catch let failure as ConfigurationFailure {
      console.complain(failure.lines)
      status = .configuration
    } catch let error as UsageError {
      console.complain(["\(console.errorPaint.red("error:")) \(error.message)"])
      status = .usage
    } catch let error as TaskError {
      console.complain(["\(console.errorPaint.red("error:")) \(error.description)"])
      status = .failed
    }
    if status != .done { throw ExitCode(status.rawValue) }
  }

  /// The host of the configuration that the options name.
  func loadHost() throws -> Host {
    let host = try Host.load(options.config)
    options.console.note(host.warnings)
    return host
  }
}
