import Synchronization
public import UpkeepCore

/// Stops a run, or all runs that share it, and says why: for signals, for the end of the host.
///
/// Cancelling the Swift task that awaits a run stops it too; the reason is then the one given here, if any.
public final class RunStop: Sendable {
  /// Why a run stops.
  public struct Reason: Hashable, Sendable {
    /// For people, such as `stopped by SIGTERM`.
    public var text: String
    /// How the run ends: ``UpkeepCore/RunStatus/cancelled`` where somebody wanted it,
    /// ``UpkeepCore/RunStatus/interrupted`` where the process had to go.
    public var status: RunStatus

    /// Creates a reason.
    public init(_ text: String, status: RunStatus = .cancelled) {
      self.text = text
      self.status = status
    }
  }

  private struct State {
    var reason: Reason?
    var observers: [Int: @Sendable (Reason) -> Void] = [:]
    var nextKey = 0
  }

  private let state = Mutex(State())

  /// Creates a stop that nobody asked for yet.
  public init() {}

  /// Why it was asked to stop; nothing where it wasn't.
  public var reason: Reason? {
    state.withLock { $0.reason }
  }

  /// Asks to stop. The first reason stays.
  public func request(_ text: String, as status: RunStatus = .cancelled) {
    let reason = Reason(text, status: status)
    let observers = state.withLock { state -> [@Sendable (Reason) -> Void] in
      guard state.reason == nil else { return [] }
      state.reason = reason
      return Array(state.observers.values)
    }
    for observer in observers { observer(reason) }
  }

  /// Calls `observer` once, when a stop is asked for; at once where it was already.
  /// - Returns: The key for ``ignore(_:)``.
  package func observe(_ observer: @escaping @Sendable (Reason) -> Void) -> Int {
    let (key, reason) = state.withLock { state -> (Int, Reason?) in
      state.nextKey += 1
      if state.reason == nil { state.observers[state.nextKey] = observer }
      return (state.nextKey, state.reason)
    }
    if let reason { observer(reason) }
    return key
  }

  /// Ends an observation.
  package func ignore(_ key: Int) {
    state.withLock { $0.observers[key] = nil }
  }
}
