public import UpkeepCore

/// A task whose preview and run are the same work on a database, once counted and once done: they share one selection, so
/// that neither can drift from the other.
public protocol PurgingTask: PreviewableTask {
  /// Its settings, named again so that they can be told from ``work(_:for:in:)``.
  associatedtype Settings
  /// Does the work, or counts what it would do.
  ///
  /// - Throws: What ends the run as failed; `CancellationError` when it was asked to stop.
  func work(_ settings: Settings, for purpose: Purge.Purpose, in context: TaskContext) async throws
}

extension PurgingTask {
  /// Does the work.
  public func run(_ settings: Settings, in context: TaskContext) async throws {
    try await work(settings, for: .deletion, in: context)
  }

  /// Counts what a run would do.
  public func preview(_ settings: Settings, in context: TaskContext) async throws {
    try await work(settings, for: .preview, in: context)
  }
}
