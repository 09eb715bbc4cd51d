import ArgumentParser
import Foundation
import UpkeepCore

/// The program.
@main
struct UpkeepCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upkeep",
    abstract: "Keeps databases from growing without end.",
    discussion: """
      EXAMPLES:
        upkeep demo demo                make sample data, and run every task on it
        upkeep init                     write a commented config/upkeep.yaml
        upkeep validate --live          check it, and the databases it names
        upkeep preview odds_retention   what a run would delete now
        upkeep run odds_retention       run it, whether it is enabled or not
        upkeep history odds_retention   what happened

      The configuration is looked for at --config, $UPKEEP_CONFIG, \
      ./config/upkeep.yaml and /etc/upkeep/upkeep.yaml.

      EXIT STATUS:
        0 done, or nothing to do        4 configuration invalid
        1 a task failed                 5 skipped by a concurrency rule
        2 the guard refused             6 timed out
        3 completed with errors         64 wrong usage
        130, 143 stopped by SIGINT, SIGTERM
      """,
    version: "upkeep \(Upkeep.version)",
    subcommands: [
      DemoCommand.self, InitCommand.self, ValidateCommand.self, ConfigCommand.self, ListCommand.self,
      PluginsCommand.self, DescribeCommand.self, PreviewCommand.self, RunCommand.self, StatsCommand.self,
      HistoryCommand.self, ShowCommand.self, CancelCommand.self, ServeCommand.self, PauseCommand.self,
      ResumeCommand.self,
      EnableCommand.self,
      DisableCommand.self, SetCommand.self, SchemaCommand.self, CompletionsCommand.self,
    ])

  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if let message = unknownCommand(in: arguments) {
      Console().complain([message, "See 'upkeep --help' for all commands."])
      Foundation.exit(ExitStatus.usage.rawValue)
    }
    do {
      var command = try parseAsRoot(arguments)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      if arguments.contains("--json"), !(error is ExitCode), exitCode(for: error) == .validationFailure {
        let problem = ErrorDocument.Problem(code: "usage", message: message(for: error))
        try? Console().printJSON(ErrorDocument(error: problem))
      }
      exit(withError: error)
    }
  }

  /// What to say where the first word is no command; nothing where it is one.
  static func unknownCommand(in arguments: [String]) -> String? {
    let names = configuration.subcommands.map { $0._commandName }
    let words = arguments.first == "help" ? arguments.dropFirst() : arguments[...]
    guard let word = words.first, !word.hasPrefix("-"), word != "help", !names.contains(word) else { return nil }
    let hint = NameSuggestion.nearest(to: word, among: names).map { "; did you mean \($0)?" } ?? ""
    return "unknown command \(word)\(hint)"
  }
}
