import UpkeepRuns

/// Finds the run that a command names.
enum RunFinder {
  /// The run that a text stands for.
  /// - Throws: ``UsageError`` where there is none, or more than one.
  static func find(_ written: String, in store: (any StateStore)?) async throws -> RunRecord {
    do {
      guard let store else { throw RunNotFound.none }
      return try await store.find(written)
    } catch RunNotFound.none {
      throw UsageError("no run begins with \(written); see upkeep history")
    } catch RunNotFound.several(let some) {
      let examples = some.joined(separator: ", ")
      throw UsageError("several runs begin with \(written) (\(examples), …); write more of the id")
    }
  }
}
