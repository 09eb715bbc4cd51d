public import UpkeepCore

/// A page of the history as JSON: the API's answer and what `history --json` prints.
public struct RunPage: Encodable, Sendable {
  /// The runs, newest first.
  public var runs: [RunResult]
  /// What the next page begins behind; nothing where this is the last one.
  public var nextCursor: String?

  /// Takes what a query of one run more than the page has found.
  public init(_ found: [RunRecord], limit: Int) {
    runs = found.prefix(limit).map(\.result)
    nextCursor = found.count > limit ? runs.last?.runID : nil
  }

  private enum CodingKeys: String, CodingKey {
    case runs
    case nextCursor = "next_cursor"
  }

  /// Writes every key, an absent cursor as null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(runs, forKey: .runs)
    try container.encode(nextCursor, forKey: .nextCursor)
  }
}
