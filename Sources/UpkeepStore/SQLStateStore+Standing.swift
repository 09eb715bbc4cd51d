import UpkeepCore
import UpkeepDatabase
public import UpkeepRuns

extension SQLStateStore {
  /// How the tasks stand, in one transaction: pages and programs ask for it often.
  public func standing() async throws -> TaskStanding {
    let (clock, owners, known) = (clock, owners, finalResults)
    // Noted before the look: what is committed meanwhile makes the next one look again.
    let log = try await session().logState()
    if let seen = lastStanding, let log, seen.log.isTheSame(as: log) { return seen.standing }
    let standing = try await read { connection in
      TaskStanding(
        lastRuns: try RunTable(connection: connection, owners: owners).lastResults(known),
        pauses: try Self.pauses(connection, at: clock.now(on: connection)),
        holders: try LeaseTable(connection: connection, owners: owners).entries().map(\.holder))
    }
    finalResults = standing.lastRuns
    // A pause ends, and a holder may die, without a commit.
    let isLasting = standing.pauses.isEmpty && standing.holders.isEmpty
    lastStanding = log.flatMap { isLasting ? ($0, standing) : nil }
    return standing
  }
}

extension LogState {
  /// Whether nothing was committed between the two.
  fileprivate func isTheSame(as other: LogState) -> Bool {
    (commits, frames) == (other.commits, other.frames)
  }
}
