import Foundation
import UpkeepConfiguration
import UpkeepCore
import UpkeepDatabase
import UpkeepRuns

/// One thing that `validate --live` looked at.
public struct LiveFinding: Codable, Hashable, Sendable {
  /// How it stands.
  public enum Level: String, Codable, Sendable {
    /// As it should be.
    case fine = "ok"
    /// It works, but deserves a look.
    case warning
    /// A run would fail.
    case error
  }

  /// How it stands.
  public var level: Level
  /// What was looked at: `database odds`, `task odds_retention`.
  public var subject: String
  /// What was found.
  public var message: String
}

extension Host {
  /// Looks at every database that is configured, and at what each task finds in its own by a preview. Nothing is
  /// written, not even the history.
  public func liveFindings() async -> [LiveFinding] {
    var findings = await hostFindings()
    for database in configuration.databases { findings += await Self.findings(database) }
    let store = ForgetfulStore()
    // Of a journal mode its database has told already.
    let told = configuration.databases.map { "database \($0.name) has journal mode " }
    for task in configuration.tasks where task.prepared.preview != nil {
      let result = await run(RunRequest(task: task.runnable, mode: .preview), store) { _ in }
      let subject = "task \(task.name)"
      // What a task that is switched off can't do keeps nobody from switching on the others.
      let (level, note) = task.isEnabled ? (LiveFinding.Level.error, "") : (.warning, " (the task is disabled)")
      findings += result.errors.map { LiveFinding(level: level, subject: subject, message: $0.message + note) }
      findings += result.warnings.filter { warning in !told.contains { warning.hasPrefix($0) } }
        .map { LiveFinding(level: .warning, subject: subject, message: $0) }
      if let verdict = result.guardVerdict, verdict.wouldRefuse {
        findings.append(
          LiveFinding(level: .warning, subject: subject, message: "the guard would refuse a run: see upkeep preview"))
      }
      if result.errors.isEmpty {
        let milliseconds = result.durationMilliseconds ?? 0
        findings.append(LiveFinding(level: .fine, subject: subject, message: "a preview worked, in \(milliseconds) ms"))
      }
    }
    return findings
  }

  /// What the host itself needs: its state store, the token of the API, the program that is told of failures.
  private func hostFindings() async -> [LiveFinding] {
    var findings: [LiveFinding] = []
    func found(_ level: LiveFinding.Level, _ subject: String, _ message: String) {
      findings.append(LiveFinding(level: level, subject: subject, message: message))
    }
    do {
      try await lookAtStore { found(.error, "host.state", $0) }
    } catch let error as TaskError {
      found(.error, "host.state", "\(error.place): \(error.problem); \(error.fix)")
    } catch {
      found(.error, "host.state", "\(error)")
    }
    do {
      _ = try accessRules()
    } catch {
      // Only serve wants it.
      for problem in error.diagnostics { found(.warning, "serve", problem.message) }
    }
    if let command = configuration.onFailure?.command, let program = command.first, !isProgram(program) {
      found(.warning, "host.on_failure", "there is no program \(program) that could be started")
    }
    return findings
  }

  /// Opens the state store where there is one, and looks whether it could be made where there is none.
  private func lookAtStore(_ isWrong: (String) -> Void) async throws {
    guard case .path(let path) = configuration.state else {
      _ = try await storeIfThere()
      return
    }
    if let file = FileHandle(forReadingAtPath: path) {
      let start = try file.read(upToCount: 16) ?? Data()
      try file.close()
      guard start.isEmpty || start == Data("SQLite format 3\0".utf8) else {
        return isWrong("\(path) is there, and is no SQLite database; name another place")
      }
      _ = try await storeIfThere()
      return
    }
    let folder = (path as NSString).deletingLastPathComponent
    var isFolder: ObjCBool = false
    if !FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) || !isFolder.boolValue {
      isWrong("there is no folder \(folder) for \(path); make it, or name another place")
    } else if !FileManager.default.isWritableFile(atPath: folder) {
      isWrong("\(folder) isn't writable by \(NSUserName()), so that \(path) can't be made")
    }
  }

  /// Whether a program of a notice can be started: by its path, from the folder of the configuration, or by its name.
  private func isProgram(_ program: String) -> Bool {
    let manager = FileManager.default
    if program.contains("/") {
      // A configuration that is named without a folder lies in this one.
      let folder = (path as NSString).deletingLastPathComponent
      let isWhole = program.hasPrefix("/") || folder.isEmpty
      return manager.isExecutableFile(atPath: isWhole ? program : "\(folder)/\(program)")
    }
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.contains { manager.isExecutableFile(atPath: "\($0)/\(program)") }
  }

  private static func findings(_ configured: DatabaseConfiguration) async -> [LiveFinding] {
    let subject = "database \(configured.name)"
    func found(_ level: LiveFinding.Level, _ message: String) -> LiveFinding {
      LiveFinding(level: level, subject: subject, message: message)
    }
    do {
      let database = try HostResources.database(configured)
      let session = try await database.open(.read, purpose: "upkeep/validate")
      if database.engine == .postgres {
        let looks = try await session.perform { try ServerLook(on: $0) }
        await session.close()
        return looks.findings.map { found($0.level, $0.message) }
      }
      let mode = try await session.perform { try $0.first("PRAGMA journal_mode")?.first?.text ?? "unknown" }
      let tables = try await session.perform {
        try $0.integer("SELECT count(*) FROM sqlite_master WHERE type = 'table'")
      }
      await session.close()
      var findings = [found(.fine, "opens, \(tables) tables, journal mode \(mode)")]
      if mode != "wal" {
        findings.append(
          found(
            .warning, "in journal mode \(mode) a deletion keeps readers waiting; PRAGMA journal_mode = WAL ends that"))
      }
      return findings + fileFindings(database.place, found)
    } catch let error as TaskError {
      return [LiveFinding(level: .error, subject: error.place, message: "\(error.problem); \(error.fix)")]
    } catch {
      return [found(.error, "\(error)")]
    }
  }

  private static func fileFindings(
    _ path: String, _ found: (LiveFinding.Level, String) -> LiveFinding
  ) -> [LiveFinding] {
    let manager = FileManager.default
    let folder = (path as NSString).deletingLastPathComponent
    var findings: [LiveFinding] = []
    for place in [path, folder] where !manager.isWritableFile(atPath: place) {
      findings.append(found(.error, "\(place) isn't writable by \(NSUserName())"))
    }
    let size = (try? manager.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    let free = (try? manager.attributesOfFileSystem(forPath: folder)[.systemFreeSize] as? Int) ?? .max
    // The log of a deletion may grow to a good part of the file before it is brought in.
    if free < max(100_000_000, size / 4) {
      findings.append(found(.warning, "only \(free / 1_000_000) MB are free on the disk of \(folder)"))
    }
    return findings
  }
}

/// A store for previews that nobody is to remember.
struct ForgetfulStore: StateStore {
  func save(_ record: RunRecord) async throws {}
  func record(_ runID: String) async throws -> RunRecord? { nil }
  func records(_ query: RunQuery) async throws -> [RunRecord] { [] }
  func count(_ query: RunQuery) async throws -> Int { 0 }
  func lastRuns() async throws -> [String: RunResult] { [:] }
  func oldRuns(finishedBefore: Timestamp, failuresBefore: Timestamp) async throws -> OldRuns { OldRuns() }
  func prune(finishedBefore: Timestamp, failuresBefore: Timestamp, limit: Int) async throws -> OldRuns { OldRuns() }
  func allRuns() async throws -> OldRuns { OldRuns() }
  func request(_ request: LeaseRequest) async throws -> LeaseAnswer { .blocked(by: []) }
  func begin(_ request: LeaseRequest, started: @Sendable (Timestamp) -> RunRecord) async throws -> RunBeginning {
    RunBeginning(.blocked(by: []))
  }
  func end(_ record: RunRecord, released: @Sendable () -> Void) async throws { released() }
  func renew(_ runID: String, owner: ProcessIdentity) async throws -> LeaseRenewal { .held }
  func release(_ runID: String) async throws {}
  func requestCancel(_ runID: String, by: String) async throws -> Bool { false }
  func reap() async throws -> [String] { [] }
  func holders() async throws -> [LeaseHolder] { [] }
  func pauses() async throws -> [TaskPause] { [] }
  func pause(_ pause: TaskPause) async throws {}
  func resume(_ task: String) async throws -> Bool { false }
  func grids() async throws -> [TaskGrid] { [] }
  func place(_ grids: [TaskGrid]) async throws {}
  func record(_ entries: [SlotEntry]) async throws -> [SlotOutcome] { entries.map { _ in .taken(nil) } }
  func claimServe(_ holder: ServeHolder) async throws -> ServeHolder? { nil }
  func renewServe(_ owner: ProcessIdentity) async throws {}
  func releaseServe(_ owner: ProcessIdentity) async throws {}
  func servingNow() async throws -> ServeHolder? { nil }
  func claimNotice(_ task: String, at now: Timestamp, since: Timestamp?) async throws -> Bool { false }
  func takeNotice(_ task: String) async throws -> Bool { false }
}
