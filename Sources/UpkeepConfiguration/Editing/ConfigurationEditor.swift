import Foundation
import UpkeepCore
public import UpkeepRuns

/// Edits a configuration file: `enable`, `disable`, `set`, and the API's changes.
public struct ConfigurationEditor: ConfigurationEditing {
  /// How long to wait for another writer of this program.
  var patience = Duration.seconds(5)
  /// How often to ask whether that one is done.
  static let askInterval = Duration.milliseconds(20)

  private let loader: ConfigurationLoader
  private let clock: any Clock<Duration>
  /// The file and what its replacement does.
  var file: ConfigurationFile

  /// Creates an editor.
  ///
  /// - Parameters:
  ///   - path: The file, as it was given.
  ///   - loader: The validator. Its environment counts; its overrides are put aside.
  ///   - clock: Sleeps while another writer is at work.
  public init(path: String, loader: ConfigurationLoader, clock: any Clock<Duration>) {
    self.loader = ConfigurationLoader(plugins: loader.plugins, environment: loader.environment)
    self.clock = clock
    file = ConfigurationFile(path: path)
  }

  /// The hash of the file as it is now.
  public func hash() async throws(EditRefusal) -> String {
    ContentHash.of(try await read())
  }

  /// Makes all of some edits, or none.
  public func edit(
    _ edits: [ConfigurationEdit], expecting hash: String?, scope: EditScope
  ) async throws(EditRefusal) -> ConfigurationEditResult {
    let lock = try await lock()
    let (result, bytes) = try await work(out: edits, expecting: hash, scope: scope)
    guard result.hash != result.previousHash else { return result }
    let outcome: ConfigurationFile.Outcome
    do {
      outcome = try file.replace(with: bytes, ifHash: result.previousHash, lock)
    } catch {
      throw Self.refusal(error, file.path)
    }
    if case .changed(let found) = outcome { throw .changedMeanwhile(expected: result.previousHash, found: found) }
    return result
  }

  /// Works out what some edits would change, and writes nothing.
  public func plan(
    _ edits: [ConfigurationEdit], expecting hash: String?, scope: EditScope
  ) async throws(EditRefusal) -> ConfigurationEditResult {
    try await work(out: edits, expecting: hash, scope: scope).result
  }

  private func work(
    out edits: [ConfigurationEdit], expecting hash: String?, scope: EditScope
  ) async throws(EditRefusal) -> (result: ConfigurationEditResult, bytes: [UInt8]) {
    let bytes = try await read()
    let previous = ContentHash.of(bytes)
    let planner = EditPlanner(loader: loader, path: file.path, folder: folder)
    if let hash, hash != previous {
      // Who is told to look and to repeat would be told the same again where the file isn't valid.
      let found = loader.load(bytes, path: file.path, folder: folder)
      guard found.configuration == nil else { throw .changedMeanwhile(expected: hash, found: previous) }
      throw EditPlanner.invalidFile(found, file.path)
    }
    let plan = try planner.plan(edits, scope: scope, on: bytes)
    let result = ConfigurationEditResult(
      path: file.path, previousHash: previous, hash: plan.bytes == bytes ? previous : ContentHash.of(plan.bytes),
      changes: plan.changes, diff: plan.diff, warnings: plan.warnings)
    return (result, plan.bytes)
  }

  private var folder: String {
    URL(fileURLWithPath: file.path).standardizedFileURL.deletingLastPathComponent().path
  }

  private func read() async throws(EditRefusal) -> [UInt8] {
    do {
      return try file.read()
    } catch {
      throw Self.refusal(error, file.path)
    }
  }

  private func lock() async throws(EditRefusal) -> ConfigurationFile.Lock {
    let waited = clock.stopwatch()
    do {
      while true {
        if let lock = try file.lock() { return lock }
        guard waited() < patience else {
          throw TaskError(
            code: "locked_file", place: file.path, problem: "another edit holds its folder's lock",
            fix: "wait for it, and repeat")
        }
        try await clock.sleep(for: Self.askInterval)
      }
    } catch let error as TaskError where error.code == "no_file" {
      // Said in the words of the validator.
      throw EditPlanner.invalidFile(loader.load(file: file.path), file.path)
    } catch {
      throw Self.refusal(error, file.path)
    }
  }

  private static func refusal(_ error: any Error, _ path: String) -> EditRefusal {
    .unwritable(
      error as? TaskError
        ?? TaskError(code: "edit_failed", place: path, problem: "the edit was broken off: \(error)", fix: "repeat it"))
  }
}
