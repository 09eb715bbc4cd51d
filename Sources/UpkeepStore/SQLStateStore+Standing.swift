import UpkeepCore
import UpkeepDatabase
public import UpkeepRuns

extension SQLStateStore {
  /// How the tasks stand, in one transaction: pages and programs ask for it often.
  public func standing() async throws -> TaskStanding {
    let (clock, owners, known) = (clock, owners, finalResults)
    let standing = try await read { connection in
      TaskStanding(
        lastRuns: try RunTable(connection: connection, owners: owners).lastResults(known),
        pauses: try Self.pauses(connection, at: clock.now(on: connection)),
        holders: try LeaseTable(connection: connection, owners: owners).entries().map(\.holder))
    }
    finalResults = standing.lastRuns
    return standing
  }
}
