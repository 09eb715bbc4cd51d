import UpkeepCore
import UpkeepRuns

/// Finds a run by its id or how it begins.
enum RunFinder {
  /// The run that a text stands for, in capitals or not.
  /// - Throws: ``UsageError`` where there is none, or more than one.
  static func find(_ written: String, in store: (any StateStore)?) async throws -> RunRecord {
    let prefix = written.uppercased()
    // Ids sort by time, so those that begin with the prefix are the newest before its greatest continuation.
    let bound = prefix + String(repeating: "Z", count: max(1, 27 - prefix.count))
    let found = try await store?.records(RunQuery(before: bound, limit: 2)).filter { $0.result.runID.hasPrefix(prefix) }
    guard let first = found?.first, !prefix.isEmpty else {
      throw UsageError("no run begins with \(written); see upkeep history")
    }
    if let found, found.count > 1, first.result.runID != prefix {
      let examples = found.map(\.result.runID).joined(separator: ", ")
      throw UsageError("several runs begin with \(written) (\(examples), …); write more of the id")
    }
    return first
  }
}
