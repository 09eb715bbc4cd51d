public import UpkeepCore

/// The result of a group: its members' results in order, one document.
public struct GroupResult: Encodable, Hashable, Sendable {
  /// The group run's identifier; each member's record carries it. Not a part of the document.
  public var runID: String
  /// The group's name.
  public var group: String
  /// How the group stands: completed where every member is; failed where none did anything; completed_with_errors
  /// between the two; cancelled where somebody stopped it.
  public var status: RunStatus
  /// When the first member started.
  public var startedAt: Timestamp
  /// When the last one ended.
  public var finishedAt: Timestamp?
  /// One result for each member, in order.
  public var results: [RunResult]
  /// What somebody should know of the group as a whole.
  public var warnings: [String]

  /// Creates a result.
  public init(
    runID: String, group: String, status: RunStatus, startedAt: Timestamp, finishedAt: Timestamp?,
    results: [RunResult], warnings: [String] = []
  ) {
    self.runID = runID
    self.group = group
    self.status = status
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.results = results
    self.warnings = warnings
  }

  /// The status of a group whose members ended so.
  public static func status(of members: [RunStatus]) -> RunStatus {
    let done: Set<RunStatus> = [.completed, .completedWithErrors]
    if members.allSatisfy({ $0 == .completed }) { return .completed }
    return members.contains(where: done.contains) ? .completedWithErrors : .failed
  }

  enum CodingKeys: String, CodingKey {
    case group, status, results, warnings
    case schemaVersion = "schema_version"
    case startedAt = "started_at"
    case finishedAt = "finished_at"
  }

  /// Writes every key, absent values as null; with the keys of ``cleanup`` where it is one.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(RunResult.schemaVersion, forKey: .schemaVersion)
    try container.encode(group, forKey: .group)
    try container.encode(status, forKey: .status)
    try container.encode(startedAt, forKey: .startedAt)
    try container.encode(finishedAt, forKey: .finishedAt)
    try container.encode(results, forKey: .results)
    try container.encode(warnings, forKey: .warnings)
    try cleanup?.encode(to: encoder)
  }
}
