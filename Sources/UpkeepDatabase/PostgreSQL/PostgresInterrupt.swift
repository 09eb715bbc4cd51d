import Synchronization

/// Asks whoever waits for a server to give up.
final class PostgresInterrupt: Sendable {
  private let flag = Atomic(false)

  var isSet: Bool { flag.load(ordering: .acquiring) }

  func set() {
    flag.store(true, ordering: .releasing)
  }
}
