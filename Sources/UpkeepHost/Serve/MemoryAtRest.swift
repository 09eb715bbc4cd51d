import CMemory
import Synchronization

/// Gives back what `serve` doesn't need at rest: once it has begun, and then, while nothing runs, the code that wasn't
/// used lately.
final class MemoryAtRest: Sendable {
  /// Between two times.
  static let interval = Duration.seconds(20)

  private let elapsed: @Sendable () -> Duration
  private let last = Mutex<Duration?>(nil)

  /// - Parameter elapsed: A time that only grows.
  init(elapsed: @escaping @Sendable () -> Duration) {
    self.elapsed = elapsed
  }

  /// Told of each turn of the scheduler's loop.
  ///
  /// - Parameter working: How many runs work.
  /// - Returns: Whether something was given back.
  @discardableResult
  func turned(working: Int) -> Bool {
    let now = elapsed()
    let isFirst = last.withLock { last -> Bool? in
      if let last, working > 0 || now - last < Self.interval { return nil }
      defer { last = now }
      return last == nil
    }
    switch isFirst {
    case nil: return false
    case true?: Host.giveBackMemory()
    case false?: memory_release_program()
    }
    return true
  }
}

extension Host {
  /// Gives back what only the reading of a configuration needed, which is several times what is kept of it.
  public static func giveBackMemory() {
    memory_trim()
    memory_release_program()
  }
}
