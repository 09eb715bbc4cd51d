import Foundation

/// A folder that goes away with the value, by the name that SQLite knows it by.
package final class TemporaryFolder: Sendable {
  /// Its path, without symbolic links.
  package let path: String

  /// Makes an empty folder.
  package init() throws {
    let parent = NSTemporaryDirectory()
    let resolved = realpath(parent, nil)
    defer { free(resolved) }
    path = "\(resolved.map { String(cString: $0) } ?? parent)/upkeep-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The path of a file in it.
  package func file(_ name: String) -> String { "\(path)/\(name)" }
}
