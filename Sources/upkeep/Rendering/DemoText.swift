/// What the demo says at its end.
enum DemoText {
  /// Three commands to try next; one of them meets the guard.
  ///
  /// - Parameters:
  ///   - configuration: The demo's configuration.
  ///   - program: How the program is called from here.
  static func next(_ configuration: String, program: String) -> [String] {
    [
      "",
      "Now the database keeps 30 days. Try next:",
      "",
      "  \(program) run odds_retention --config \(configuration)",
      "      runs it again: there is nothing left to delete",
      "  \(program) run odds_retention --config \(configuration) --set odds_keep=7d",
      "      would delete most of the odds: the guard refuses, with exit status 2",
      "  \(program) history --config \(configuration)",
      "      lists what happened so far",
    ]
  }

  /// How the program that was called so is called again: `upkeep` on the path, or its file, from the present folder.
  static func program(calledAs word: String, in folder: String) -> String {
    guard word.contains("/") else { return "upkeep" }
    return word.hasPrefix(folder + "/") ? String(word.dropFirst(folder.count + 1)) : word
  }
}
