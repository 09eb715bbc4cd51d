public import UpkeepCore

/// Something that a plugin doesn't do as it must.
public struct ConformanceFailure: Hashable, Sendable, CustomStringConvertible {
  /// What was checked, such as `preview`.
  public var check: String
  /// What was expected and found.
  public var message: String

  /// Creates a failure.
  public init(_ check: String, _ message: String) {
    self.check = check
    self.message = message
  }

  /// `check: message`
  public var description: String { "\(check): \(message)" }
}

/// Data that a plugin is tried on: prepared anew, and the same, for each check.
public struct ConformanceFixture: Sendable {
  /// The settings that find the data.
  public var settings: ConfigurationNode?
  /// What the host offers.
  public var resources: any TaskResources
  /// The instant of the run.
  public var now: Timestamp
  /// A text that is the same exactly where all the data is.
  public var digest: @Sendable () async throws -> String

  /// Creates a fixture.
  public init(
    settings: ConfigurationNode? = nil, resources: any TaskResources = NoResources(),
    now: Timestamp = ManualWallClock.noon, digest: @escaping @Sendable () async throws -> String = { "" }
  ) {
    self.settings = settings
    self.resources = resources
    self.now = now
    self.digest = digest
  }
}

extension ConfigurationNode {
  /// Settings as if they stood in a file `test.yaml`, each value on a line of its own.
  public static func test(_ value: JSONValue) -> ConfigurationNode {
    var line = 0
    return make(value, &line)
  }

  private static func make(_ value: JSONValue, _ line: inout Int) -> ConfigurationNode {
    line += 1
    let start = SourcePosition(line: line, column: 1)
    let origin = ValueOrigin.file(path: "test.yaml", range: SourceRange(start: start, end: start))
    switch value {
    case .null: return ConfigurationNode(.null, origin: origin)
    case .boolean(let flag): return ConfigurationNode(.boolean(flag), text: value.text, origin: origin)
    case .integer(let number): return ConfigurationNode(.integer(number), text: value.text, origin: origin)
    case .number(let number): return ConfigurationNode(.number(number), text: value.text, origin: origin)
    case .string(let text): return ConfigurationNode(.string(text), text: text, origin: origin)
    case .array(let values):
      return ConfigurationNode(.list(values.map { make($0, &line) }), origin: origin)
    case .object(let values):
      let entries = values.sorted { $0.key < $1.key }.map { entry in
        let value = make(entry.value, &line)
        return ConfigurationEntry(key: entry.key, keyOrigin: value.origin, value: value)
      }
      return ConfigurationNode(.map(entries), origin: origin)
    }
  }
}
