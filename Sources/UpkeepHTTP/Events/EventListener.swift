import Synchronization

/// Somebody who listens to events over one connection.
final class EventListener: Sendable {
  /// What is to be sent, piece by piece.
  let chunks: AsyncStream<[UInt8]>
  private let send: AsyncStream<[UInt8]>.Continuation?

  private struct State {
    var isDropped = false
    var onDrop: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  /// Creates a listener that events are sent to.
  init() {
    let (chunks, send) = AsyncStream.makeStream(
      of: [UInt8].self, bufferingPolicy: .bufferingOldest(EventLog.patience))
    self.chunks = chunks
    self.send = send
  }

  /// Creates a listener that asks for its events by itself.
  init(asking: @escaping @Sendable () async -> [UInt8]?) {
    chunks = AsyncStream(unfolding: asking)
    send = nil
  }

  /// Sends a piece.
  /// - Returns: False where too many wait already.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    guard let send else { return true }
    if case .dropped = send.yield(bytes) { return false }
    return true
  }

  /// Sends a comment, so that both ends see whether the other is still there.
  func nudge() {
    if !send(Array(":\n\n".utf8)) { drop() }
  }

  /// Ends the stream, once what waits is sent.
  func end() {
    send?.finish()
  }

  /// Ends the connection without sending what waits.
  func drop() {
    let onDrop = state.withLock { state in
      state.isDropped = true
      return state.onDrop
    }
    onDrop?()
    end()
  }

  /// Calls `body` when the listener is dropped; at once where it was already.
  func whenDropped(_ body: @escaping @Sendable () -> Void) {
    let isDropped = state.withLock { state in
      state.onDrop = body
      return state.isDropped
    }
    if isDropped { body() }
  }

  /// Calls `body` when nobody listens any more.
  func whenGone(_ body: @escaping @Sendable () -> Void) {
    send?.onTermination = { _ in body() }
  }
}
