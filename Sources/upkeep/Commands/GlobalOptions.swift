import ArgumentParser

/// The options of every command.
struct GlobalOptions: ParsableArguments {
  @Option(
    name: .long, help: ArgumentHelp("The configuration file.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Flag(name: .long, help: "Print one JSON document instead of text.")
  var json = false

  @Flag(name: .long, help: "Print what was asked for and errors, and nothing beside it.")
  var quiet = false

  @Flag(name: .long, help: "Use no colours; so do NO_COLOR and TERM=dumb.")
  var noColor = false

  var console: Console {
    Console(isQuiet: quiet, noColour: noColor)
  }
}
