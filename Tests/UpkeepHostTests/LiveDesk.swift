import Foundation
import Logging
import Synchronization
import Testing
import UpkeepConfiguration
import UpkeepCore
import UpkeepRuns

@testable import UpkeepHost

/// A folder with a configuration file that a live host watches; gone with the value.
final class LiveDesk: Sendable {
  let folder: String
  var path: String { folder + "/upkeep.yaml" }
  let log = LogLines()

  init(_ yaml: String) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "upkeep-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder + "/versions", withIntermediateDirectories: true)
    try write(yaml, to: path)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// The text written in two parts into the file that is there.
  func write(_ text: String, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    for part in [bytes[..<(bytes.count / 2)], bytes[(bytes.count / 2)...]] {
      let count = part.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      try #require(count == part.count)
    }
  }

  func writeInPlace(_ text: String) throws {
    try write(text, to: path)
  }

  func renameOver(_ text: String) throws {
    try write(text, to: folder + "/new")
    try #require(rename(folder + "/new", path) == 0)
  }

  func swapLink(_ text: String) throws {
    let name = "versions/\(UUID().uuidString).yaml"
    try write(text, to: "\(folder)/\(name)")
    try #require(symlink(name, folder + "/link") == 0)
    try #require(rename(folder + "/link", path) == 0)
  }

  func host(environment: [String: String] = [:]) throws -> UpkeepHost.Host {
    try Host.load(path, environment: environment)
  }

  /// The hash that a file with this text has.
  static func hash(_ text: String) -> String {
    ConfigurationLoader(plugins: [], environment: [:]).load(Array(text.utf8), path: "x", folder: "/").hash
  }

  var logger: Logger {
    Logger(label: "test") { _ in LineHandler(lines: self.log) }
  }
}

/// What was logged.
final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])

  func append(_ line: String) { lines.withLock { $0.append(line) } }
  var all: [String] { lines.withLock { $0 } }
}

private struct LineHandler: LogHandler {
  let lines: LogLines
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace

  init(lines: LogLines) {
    self.lines = lines
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    lines.append("\(event.level): \(event.message)")
  }
}
