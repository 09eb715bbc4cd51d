import Synchronization
import UpkeepCore
import UpkeepRuns

/// Hands the events of runs on to whoever listens.
final class RunHub: Sendable {
  /// How many events wait for a listener of one run that doesn't keep up.
  static let buffer = 1000

  private struct State {
    var next = 0
    var all: [Int: AsyncStream<RunEvent>.Continuation] = [:]
    var single: [String: [Int: AsyncStream<RunEvent>.Continuation]] = [:]
  }

  private let state = Mutex(State())
  private let observe: @Sendable (RunEvent) -> Void

  /// - Parameter observe: Told of every event, before all others; it must return at once.
  init(observe: @escaping @Sendable (RunEvent) -> Void) {
    self.observe = observe
  }

  /// The events of all runs from now on, none left out: whoever counts them, or hands them on, must not lose any where a
  /// thousand runs end at once.
  func events() -> AsyncStream<RunEvent> {
    let (stream, continuation) = AsyncStream.makeStream(of: RunEvent.self)
    let key = state.withLock { state -> Int in
      state.next += 1
      state.all[state.next] = continuation
      return state.next
    }
    continuation.onTermination = { [self] _ in state.withLock { $0.all[key] = nil } }
    return stream
  }

  /// The events of one run, up to its end.
  func events(of runID: String) -> AsyncStream<RunEvent> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: RunEvent.self, bufferingPolicy: .bufferingNewest(Self.buffer))
    let key = state.withLock { state -> Int in
      state.next += 1
      state.single[runID, default: [:]][state.next] = continuation
      return state.next
    }
    continuation.onTermination = { [self] _ in
      state.withLock { state in
        state.single[runID]?[key] = nil
        if state.single[runID]?.isEmpty == true { state.single[runID] = nil }
      }
    }
    return stream
  }

  func tell(_ event: RunEvent) {
    observe(event)
    let id = event.result.runID
    typealias Listener = AsyncStream<RunEvent>.Continuation
    let (listeners, ending) = state.withLock { state -> ([Listener], [Listener]) in
      let single = state.single[id].map { Array($0.values) } ?? []
      guard case .finished = event else { return (Array(state.all.values) + single, []) }
      state.single[id] = nil
      return (Array(state.all.values) + single, single)
    }
    for listener in listeners { listener.yield(event) }
    for listener in ending { listener.finish() }
  }

  /// Ends all streams.
  func finish() {
    let listeners = state.withLock { state -> [AsyncStream<RunEvent>.Continuation] in
      defer { state = State() }
      return Array(state.all.values) + state.single.values.flatMap(\.values)
    }
    for listener in listeners { listener.finish() }
  }
}
