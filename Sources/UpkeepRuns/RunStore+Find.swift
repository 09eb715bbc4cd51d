import UpkeepCore

/// Why a text stands for no run.
public enum RunNotFound: Error, Hashable, Sendable {
  /// No run begins so.
  case none
  /// More than one begins so; some of them, newest first.
  case several([String])
}

extension RunStore {
  /// The run that a text stands for: its id or how that begins, in capitals or not.
  ///
  /// - Throws: ``RunNotFound`` where there is none, or more than one.
  public func find(_ written: String) async throws -> RunRecord {
    let prefix = written.uppercased()
    guard RunID.isBeginning(prefix) else { throw RunNotFound.none }
    // Ids sort by time, so those that begin with the prefix are the newest before its greatest continuation.
    let bound = prefix + String(repeating: "Z", count: 27 - prefix.count)
    let found = try await records(RunQuery(before: bound, limit: 2)).filter { $0.result.runID.hasPrefix(prefix) }
    guard let first = found.first else { throw RunNotFound.none }
    guard found.count == 1 else { throw RunNotFound.several(found.map(\.result.runID)) }
    return first
  }
}
