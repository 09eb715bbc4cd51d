import Foundation
public import UpkeepCore
import UpkeepDatabase

/// A folder to try the program in: sample data and a configuration for it.
public struct DemoFolder: Sendable {
  /// The folder, as it was given.
  public let folder: String
  /// The address of an empty PostgreSQL database for the two applications' tables; nothing means files.
  public let server: String?

  /// The port on which the configuration's scraping task finds the platforms, unless another is wanted.
  public static let platformPort = 8788
  private let platformPort: Int

  /// Names a folder; nothing is made yet.
  public init(folder: String, server: String? = nil, platformPort: Int = DemoFolder.platformPort) {
    self.server = server
    self.platformPort = platformPort
    self.folder = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
  }

  /// The configuration file.
  public var configuration: String { "\(folder)/upkeep.yaml" }
  /// The sample upload folder.
  public var uploads: String { "\(folder)/uploads" }
  /// The sample database of the odds application.
  public var database: String { "\(folder)/data/odds.sqlite" }
  /// The sample database of the media application.
  public var mediaDatabase: String { "\(folder)/data/stash.sqlite" }
  /// The sample database of no application in particular.
  public var appDatabase: String { "\(folder)/data/app.sqlite" }

  /// Whether the folder doesn't exist or is empty.
  /// - Throws: ``UpkeepCore/TaskError`` where it can't be looked into.
  public func isFree() throws -> Bool {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else { return true }
    guard isFolder.boolValue else { return false }
    return try wrapped { try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty }
  }

  /// Whether a demo is in the folder already.
  public var isMade: Bool { FileManager.default.fileExists(atPath: configuration) }

  /// Makes the folder, the data and the configuration; where that fails nothing of it stays.
  ///
  /// - Parameters:
  ///   - scale: How much data: 1 is 200,000 snapshots and 20,000 jobs.
  ///   - now: The instant that the data leads up to.
  /// - Returns: The tables of the sample databases that hold rows.
  /// - Throws: ``UpkeepCore/TaskError`` where something can't be written.
  public func make(scale: Double, now: Timestamp) async throws -> [SampleCount] {
    let isNew = !FileManager.default.fileExists(atPath: folder)
    do {
      return try await fill(scale: scale, now: now)
    } catch {
      // By name: whatever else is there is somebody's.
      for place in ["\(folder)/data", "\(folder)/var", uploads, configuration] {
        try? FileManager.default.removeItem(atPath: place)
      }
      if isNew { rmdir(folder) }
      throw error
    }
  }

  private func fill(scale: Double, now: Timestamp) async throws -> [SampleCount] {
    try wrapped {
      for name in ["data", "var"] {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
      }
      try Data(DemoConfiguration.text(server: server, platformPort: platformPort).utf8).write(
        to: URL(fileURLWithPath: configuration))
    }
    try UploadSample.make(at: uploads, now: now)
    try await AppSample.make(at: appDatabase, now: now, scale: scale)
    let odds = try await OddsSample.make(at: database, now: now, snapshots: max(1, Int(200_000 * scale)))
    let media = try await MediaSample.make(
      at: mediaDatabase, now: now, jobs: max(1, Int(20_000 * scale)), plans: max(1, Int(1000 * scale)))
    if let server {
      try await move(database, to: PostgresDatabase(name: "odds", url: server), .odds(now: now))
      try await move(mediaDatabase, to: PostgresDatabase(name: "stash", url: server), .media)
    }
    return odds + media
  }

  /// Copies the rows of a sample file to a server, and removes the file.
  private func move(_ path: String, to database: PostgresDatabase, _ sample: ServerSample) async throws {
    try await sample.copy(path, to: database)
    for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
  }

  private func wrapped<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch {
      throw TaskError(
        code: "cannot_write", place: "folder \(folder)", problem: error.localizedDescription,
        fix: "name another folder, or check the permissions")
    }
  }
}
