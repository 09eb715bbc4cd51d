import UpkeepCore

/// What a sweep counts.
struct SweepCounts: Equatable, Sendable {
  /// Uploads that are gone (in a preview: would go).
  var uploadsRemoved = 0
  /// Bytes of removed files.
  var bytesFreed = 0
  /// Sidecars without data, and data without a sidecar, that are gone.
  var orphansRemoved = 0
  var keptActive = 0
  var keptComplete = 0
  var keptUnexpired = 0
  var foreign = 0
  var unreadable = 0
  /// Uploads and orphans that were looked at: the whole of which the guard judges a share.
  var seen = 0

  /// The names in results, each with its meaning.
  static let names: [(name: String, meaning: String)] = [
    ("uploads_removed", "uploads removed"), ("bytes_freed", "bytes of the removed files, data and sidecars"),
    ("orphans_removed", "sidecars without data, and data without a sidecar, that were removed"),
    ("kept_active", "expired uploads that stay, since somebody writes to them or has them locked"),
    ("kept_complete", "finished uploads"), ("kept_unexpired", "uploads whose time hasn't come"),
    ("foreign", "files that are no part of an upload"),
    ("unreadable", "sidecars, files and folders that couldn't be read or removed"),
  ]

  /// Those that say what was seen and left alone.
  static let seenNames: Set<String> = ["kept_active", "kept_complete", "kept_unexpired", "foreign", "unreadable"]

  private static let paths: [(String, any KeyPath<SweepCounts, Int> & Sendable)] = [
    ("uploads_removed", \.uploadsRemoved), ("bytes_freed", \.bytesFreed), ("orphans_removed", \.orphansRemoved),
    ("kept_active", \.keptActive), ("kept_complete", \.keptComplete), ("kept_unexpired", \.keptUnexpired),
    ("foreign", \.foreign), ("unreadable", \.unreadable),
  ]

  /// The counts by name, zeros included.
  var values: [(name: String, count: Int)] {
    Self.paths.map { ($0.0, self[keyPath: $0.1]) }
  }
}
