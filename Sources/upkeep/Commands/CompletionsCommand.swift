import ArgumentParser

struct CompletionsCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "completions",
    abstract: "Print the completion script of a shell.",
    usage: "upkeep completions <shell> [<options>]",
    discussion: """
      EXAMPLES:
        upkeep completions bash > ~/.local/share/bash-completion/completions/upkeep
        upkeep completions zsh > ~/.zsh/completions/_upkeep
        upkeep completions fish > ~/.config/fish/completions/upkeep.fish
      """)

  enum Shell: String, ExpressibleByArgument, CaseIterable {
    case bash
    case zsh
    case fish
  }

  @Argument(help: "The shell: bash, zsh or fish.")
  var shell: Shell

  @OptionGroup var options: GlobalOptions

  func execute(_ console: Console) async throws -> ExitStatus {
    let script =
      switch shell {
      case .bash: UpkeepCommand.completionScript(for: .bash)
      case .zsh: UpkeepCommand.completionScript(for: .zsh)
      case .fish: UpkeepCommand.completionScript(for: .fish)
      }
    console.output.write(script)
    return .done
  }
}
