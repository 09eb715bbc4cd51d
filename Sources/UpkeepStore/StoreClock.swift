import UpkeepCore
import UpkeepDatabase

/// Whose time the store's rows carry: on a server that several hosts share the server's, since their clocks may differ.
struct StoreClock: Sendable {
  let wallClock: AdjustedWallClock
  let isServers: Bool

  /// The time now, as late as the transaction reads it.
  func now(on connection: any DatabaseConnection) throws -> Timestamp {
    guard isServers else { return wallClock.now() }
    let microseconds = try connection.integer(
      "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")
    let now = Timestamp(microseconds: microseconds)
    wallClock.adjust(to: now)
    return now
  }
}
