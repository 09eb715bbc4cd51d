import NIOCore
import Synchronization

/// The connections of a server, so that they end with it.
final class Connections: Sendable {
  private struct State {
    var held: [ObjectIdentifier: NIOLoopBound<Connection>] = [:]
    var isOver = false
  }

  private let state = Mutex(State())

  /// Takes a connection in, until it is removed.
  /// - Returns: False where the server has ended.
  func add(_ connection: NIOLoopBound<Connection>) -> Bool {
    let key = ObjectIdentifier(connection.value)
    return state.withLock { state in
      if !state.isOver { state.held[key] = connection }
      return !state.isOver
    }
  }

  /// Forgets a connection that is closed and answers nothing any more.
  func remove(_ connection: Connection) {
    let key = ObjectIdentifier(connection)
    _ = state.withLock { $0.held.removeValue(forKey: key) }
  }

  /// Closes all connections, cancels what is being answered and waits for its end.
  func end() async {
    let held = state.withLock { state in
      state.isOver = true
      return Array(state.held.values)
    }
    for connection in held {
      let answer = try? await connection.eventLoop.submit { connection.value.end() }.get()
      await answer?.value
    }
  }
}
