import UpkeepRuns

/// Says of other processes only whether they are gone. That one is there isn't enough where hosts share a store: it may
/// have been stopped, and counts as dead once it hasn't been heard of for as long as a lease lives.
struct RenewalInspector: ProcessInspector {
  private let inner: any ProcessInspector

  init(_ inner: any ProcessInspector) {
    self.inner = inner
  }

  var current: ProcessIdentity { inner.current }

  func liveness(of process: ProcessIdentity) -> Liveness {
    let liveness = inner.liveness(of: process)
    return liveness == .alive && process != current ? .unknown : liveness
  }
}
