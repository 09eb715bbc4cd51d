extension Clock where Duration == Swift.Duration {
  /// Starts measuring.
  /// - Returns: The time since this call, whenever it is asked.
  public func stopwatch() -> @Sendable () -> Swift.Duration {
    let start = now
    return { start.duration(to: self.now) }
  }
}
