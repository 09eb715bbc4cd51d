import Foundation

/// A folder with a configuration, to run the program in; gone with the value.
final class Workplace: Sendable {
  let folder: URL

  init(_ yaml: String = "") throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "upkeep-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    if !yaml.isEmpty { try write(yaml, to: "upkeep.yaml") }
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
  }

  func path(_ name: String) -> String {
    folder.appending(path: name).path
  }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: folder.appending(path: name))
  }

  func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: folder.appending(path: name))
  }

  /// Runs the program on this folder's configuration.
  func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Program.Outcome {
    try await start(arguments, environment: environment).outcome()
  }

  /// Starts the program on this folder's configuration.
  func start(_ arguments: [String], environment: [String: String] = [:]) throws -> RunningProgram {
    var environment = environment
    environment["UPKEEP_CONFIG"] = environment["UPKEEP_CONFIG"] ?? "upkeep.yaml"
    return try RunningProgram(arguments, in: folder, environment: environment)
  }

  /// A configuration of one noop task, with more keys of it where they are wanted.
  static func noop(_ keys: String = "", name: String = "nap", settings: String = "{ duration: 0s }") -> String {
    """
    version: 1
    tasks:
      \(name):
        plugin: noop
        settings: \(settings)
    \(keys.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
    """
  }
}
