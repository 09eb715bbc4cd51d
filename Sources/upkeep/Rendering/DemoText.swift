/// What the demo says at its end.
enum DemoText {
  /// Three commands to try next; one of them meets the guard.
  static func next(_ configuration: String) -> [String] {
    [
      "",
      "Now the database keeps 30 days. Try next:",
      "",
      "  upkeep run odds_retention --config \(configuration)",
      "      runs it again: there is nothing left to delete",
      "  upkeep run odds_retention --config \(configuration) --set odds_keep=7d",
      "      would delete most of the odds: the guard refuses, with exit status 2",
      "  upkeep history --config \(configuration)",
      "      lists what happened so far",
    ]
  }
}
