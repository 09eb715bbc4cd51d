import Foundation
import Logging
import Synchronization
import UpkeepCore

/// Writes a log entry as one line: text for people, or a JSON object for programs.
///
/// The line begins with the time, the level and the message; what else is known (`task`, `run_id`, …) follows by name.
struct LineLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  var logLevel = Logger.Level.info
  private let asJSON: Bool
  private let wallClock: any WallClock
  private let write: @Sendable (String) -> Void

  init(asJSON: Bool, wallClock: any WallClock, write: @escaping @Sendable (String) -> Void) {
    self.asJSON = asJSON
    self.wallClock = wallClock
    self.write = write
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var all = metadata
    if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
    if let added = event.metadata { all.merge(added) { $1 } }
    let time = wallClock.now().rfc3339
    write(asJSON ? json(time, event, all) : text(time, event, all))
  }

  private func text(_ time: String, _ event: LogEvent, _ all: Logger.Metadata) -> String {
    var line = "\(time) \(event.level.rawValue.uppercased()) \(Self.oneLine("\(event.message)"))"
    Self.add(all, to: &line)
    return line + "\n"
  }

  /// Adds ` key=value` for each value, those of a dictionary as ` key.inner=value`.
  private static func add(_ values: Logger.Metadata, prefix: String = "", to line: inout String) {
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      if case .dictionary(let inner) = value {
        add(inner, prefix: "\(prefix)\(key).", to: &line)
        continue
      }
      let text = oneLine("\(value)")
      line += " \(prefix)\(key)=\(text.utf8.contains(UInt8(ascii: " ")) || text.isEmpty ? quoted(text) : text)"
    }
  }

  private func json(_ time: String, _ event: LogEvent, _ all: Logger.Metadata) -> String {
    var object = all.mapValues(Self.value)
    object["time"] = .string(time)
    object["level"] = .string(event.level.rawValue)
    object["message"] = .string("\(event.message)")
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(object) else { return text(time, event, all) }
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  private static func value(_ metadata: Logger.MetadataValue) -> JSONValue {
    switch metadata {
    case .string(let text): .string(text)
    case .stringConvertible(let value): (value as? Int).map { .integer($0) } ?? .string("\(value)")
    case .array(let values): .array(values.map(value))
    case .dictionary(let values): .object(values.mapValues(value))
    }
  }

  private static func quoted(_ text: String) -> String {
    "\"\(text.utf8.contains(UInt8(ascii: "\"")) ? text.replacing("\"", with: "\\\"") : text)\""
  }

  private static func oneLine(_ text: String) -> String {
    // Few texts have line breaks, and looking is cheap.
    guard text.utf8.contains(where: { $0 == 10 || $0 == 13 }) else { return text }
    return text.replacing("\n", with: "\\n").replacing("\r", with: "\\r")
  }
}

/// Standard error, a line at a time; a reader that went away is no reason to end.
final class LogStream: Sendable {
  private let lock = Mutex(())

  func write(_ line: String) {
    var bytes = Array(line.utf8)[...]
    lock.withLock { _ in
      while !bytes.isEmpty {
        let written = bytes.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if written < 0, errno == EINTR || errno == EAGAIN { continue }
        guard written > 0 else { return }
        bytes = bytes.dropFirst(written)
      }
    }
  }
}
