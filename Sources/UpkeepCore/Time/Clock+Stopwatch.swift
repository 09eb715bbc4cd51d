extension Clock where Duration == Swift.Duration {
  /// Starts a measurement: the closure returns the time since this call, by this clock.
  ///
  /// An `any Clock<Duration>` hides its instants, so elapsed time is measured by a closure that keeps the first one.
  public func stopwatch() -> @Sendable () -> Duration {
    let start = now
    return { start.duration(to: self.now) }
  }
}
