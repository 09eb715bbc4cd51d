import Foundation
public import UpkeepCore
import UpkeepDatabase
public import UpkeepPurge

/// Ends sessions that nobody has used for long: their rows, and the files that they have left.
public struct SessionExpiryTask: DeletingTask, PurgingTask {
  /// Creates the task.
  public init() {}

  /// What is said of the plugin.
  public static let documentation = PluginDocumentation(
    summary: "Removes sessions that nobody has used for long, and their files",
    sample: """
      session_expiry:
        interval: 1h
        settings:
          database: app               # a name under databases:
          keep: 30d                   # sessions that were last used longer ago go
          folder: /srv/app/sessions   # and so do files that were last written longer ago
      """,
    counts: [("sessions_deleted", "sessions"), ("files_deleted", "files of sessions")])

  /// Deletes, or counts what a run would delete.
  public func work(
    _ settings: SessionExpirySettings, for purpose: Purge.Purpose, in context: TaskContext
  ) async throws {
    let cutoff = context.now - settings.keep
    try await Purge.carryOut(
      on: try context.database(settings.database), for: purpose,
      names: Purge.CountNames(deleted: ["sessions": "sessions_deleted"]), in: context
    ) { _ in
      [
        DeletionRule(
          name: "sessions", table: "sessions", condition: .older(column: "last_used", than: cutoff),
          timeColumn: "last_used")
      ]
    }
    guard let folder = settings.folder else { return }
    context.add("files_deleted", 0)
    _ = try await context.step("files") {
      for file in try SessionFile.all(in: folder.text) {
        try Task.checkCancellation()
        let goes = file.written < cutoff
        if goes, purpose == .deletion { try FileManager.default.removeItem(at: file.url) }
        if goes { context.add("files_deleted", 1) }
        context.update(table: "files") { files in
          files.total = (files.total ?? 0) + 1
          if goes { files.deleted += 1 }
        }
      }
    }
  }
}

/// A file that a session has left.
private struct SessionFile {
  let url: URL
  let written: Timestamp

  /// The files of a folder; links and what is named otherwise aren't among them.
  static func all(in folder: String) throws -> [SessionFile] {
    let keys: Set<URLResourceKey> = [.isRegularFileKey, .contentModificationDateKey]
    return try FileManager.default.contentsOfDirectory(
      at: URL(filePath: folder, directoryHint: .isDirectory), includingPropertiesForKeys: Array(keys)
    ).compactMap { url in
      let facts = try url.resourceValues(forKeys: keys)
      guard url.lastPathComponent.hasPrefix("sess_"), facts.isRegularFile == true,
        let written = facts.contentModificationDate
      else { return nil }
      return SessionFile(url: url, written: Timestamp(microseconds: Int64(written.timeIntervalSince1970 * 1_000_000)))
    }
  }
}
