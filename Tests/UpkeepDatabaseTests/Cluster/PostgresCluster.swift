import Foundation
import Synchronization
public import UpkeepDatabase
import UpkeepTestKit

/// A PostgreSQL server of the tests' own, with its data in a temporary folder and a socket beside it.
///
/// Its default time zone is far from UTC. It ends with the object, or with the process of the tests, however that ends. A
/// server that can't be started is a failure: what isn't tried isn't known to work.
public final class PostgresCluster: Sendable {
  /// What kept the server from starting, or a command from working.
  public struct Failure: Error, CustomStringConvertible {
    /// What happened.
    public let description: String
  }

  private static let common = Mutex<PostgresCluster?>(nil)
  private static let names = Atomic(0)

  /// The server that tests share, each with a database of its own.
  public static func shared() throws -> PostgresCluster {
    try common.withLock { cluster in
      if let cluster { return cluster }
      let new = try PostgresCluster()
      cluster = new
      return new
    }
  }

  private let folder: String
  private let user: String?
  private let programs: String
  /// What ends the server.
  private let watcher = Mutex<ChildProcess?>(nil)

  /// Starts a server.
  ///
  /// - Parameter settings: Further settings, as in `wal_level=logical`.
  public init(_ settings: [String] = []) throws {
    (folder, user) = try Self.makeFolder()
    programs = try Self.programs()
    let data = "\(folder)/data"
    try run("initdb", "-D", data, "-U", "upkeep", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    let access = "\(data)/pg_hba.conf"
    let rules = try String(contentsOfFile: access, encoding: .utf8)
    try "local all guarded scram-sha-256\n\(rules)".write(toFile: access, atomically: false, encoding: .utf8)
    try start(with: Self.settings(in: folder) + settings)
  }

  private static func makeFolder() throws -> (folder: String, user: String?) {
    var template = Array("/tmp/upkeep-pg-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure(description: "no temporary folder can be made in /tmp") }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return (folder, try unprivileged(owning: folder))
  }

  private static func settings(in folder: String) -> [String] {
    [
      "listen_addresses=", "unix_socket_directories=\(folder)", "fsync=off", "full_page_writes=off",
      "shared_buffers=64MB", "max_connections=100", "timezone=Pacific/Auckland", "autovacuum=off",
    ]
  }

  private func start(with settings: [String]) throws {
    let (data, options) = ("\(folder)/data", settings.map { "-c \($0)" }.joined(separator: " "))
    try "\(options)\n".write(toFile: "\(folder)/options", atomically: false, encoding: .utf8)
    try watch(data)
    try run("pg_ctl", "-D", data, "-l", "\(folder)/log", "-w", "-t", "60", "-o", options, "start")
  }

  /// Starts a server that follows another one, and lets itself be read.
  ///
  /// - Parameter primary: The server that it follows.
  public init(replicaOf primary: PostgresCluster) throws {
    (folder, user) = try Self.makeFolder()
    programs = try Self.programs()
    let data = "\(folder)/data"
    try run(
      "pg_basebackup", "-D", data, "-h", primary.folder, "-U", "upkeep", "-R", "-X", "stream", "-c", "fast", "--no-sync"
    )
    try start(with: Self.settings(in: folder))
  }

  deinit {
    watcher.withLock { $0?.closeInput() }
  }

  /// The address of a database.
  public func url(_ database: String, user: String = "upkeep") -> String {
    "postgresql:///\(database)?host=\(folder)&user=\(user)"
  }

  /// Makes an empty database that nobody else uses.
  ///
  /// - Parameters:
  ///   - limits: What it may be behind with before a purge waits for it.
  ///   - dropsPartitions: Whether partitions of which every row goes may be dropped.
  public func makeDatabase(
    _ name: String = "odds", limits: ServerLimits = ServerLimits(), dropsPartitions: Bool = false
  ) async throws -> PostgresDatabase {
    let database = "t\(Self.names.add(1, ordering: .relaxed).newValue)"
    try await execute("CREATE DATABASE \(database) TEMPLATE template0", in: "postgres")
    return PostgresDatabase(
      name: name, url: url(database), limits: limits, dropsPartitions: dropsPartitions)
  }

  /// Executes statements as the server's owner, each for itself.
  public func execute(_ statements: String..., in database: String) async throws {
    let session = try await PostgresDatabase(name: database, url: url(database)).open(.write(.full), purpose: "test")
    try await session.perform { connection in
      for statement in statements { try connection.execute(statement) }
    }
    await session.close()
  }

  /// Stops the server and starts it again; those who are connected lose their connection.
  ///
  /// - Parameter crash: Whether it is to end as in a crash.
  public func restart(crash: Bool = false) throws {
    try run(
      "pg_ctl", "-D", "\(folder)/data", "-l", "\(folder)/log", "-w", "-t", "60", "-m", crash ? "immediate" : "fast",
      "restart")
  }

  /// Has a shell end the server and remove its folder as soon as its input ends: with this object, or this process.
  private func watch(_ data: String) throws {
    let stop = (privileges() + ["\(programs)/pg_ctl", "-D", data, "-m", "immediate", "stop"])
      .map { "'\($0)'" }.joined(separator: " ")
    let shell = try ChildProcess(
      "/bin/sh", ["-c", "trap '' INT TERM HUP; read line; \(stop); rm -rf '\(folder)'"], in: "/", holdsInput: true,
      output: .dropped, errors: .dropped, patience: nil)
    watcher.withLock { $0 = shell }
  }

  private func run(_ program: String, _ arguments: String...) throws {
    let words = privileges() + ["\(programs)/\(program)"] + arguments
    let output = "\(folder)/output"
    // In a file: the server has it as its own, and would keep a pipe open.
    let command = try ChildProcess(
      words[0], Array(words.dropFirst()), in: "/", output: .file(output), errors: .withOutput)
    guard command.wait() == 0 else {
      let said = [output, "\(folder)/log"].map { (try? String(contentsOfFile: $0, encoding: .utf8)) ?? "" }.joined()
      throw Failure(description: "\(words.joined(separator: " ")) failed: \(said)")
    }
  }

  /// What makes a command run as somebody else than root, whom the server refuses.
  private func privileges() -> [String] {
    user.map { ["setpriv", "--reuid=\($0)", "--regid=\($0)", "--clear-groups"] } ?? []
  }

  private static func unprivileged(owning folder: String) throws -> String? {
    guard getuid() == 0 else { return nil }
    for name in ["postgres", "nobody"] {
      guard let entry = getpwnam(name) else { continue }
      chown(folder, entry.pointee.pw_uid, entry.pointee.pw_gid)
      return name
    }
    throw Failure(description: "PostgreSQL doesn't run as root, and there is neither a user postgres nor nobody")
  }

  /// The folder of the server's programs: that of the PATH, or Debian's, the newest version first.
  private static func programs() throws -> String {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let root = "/usr/lib/postgresql"
    let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted {
      (Int($0) ?? 0) > (Int($1) ?? 0)
    }
    let folders = path.split(separator: ":").map(String.init) + versions.map { "\(root)/\($0)/bin" }
    let found = folders.first { folder in
      ["initdb", "pg_ctl"].allSatisfy { FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)") }
    }
    guard let found else {
      throw Failure(
        description: "no PostgreSQL server to test with: neither the PATH nor \(root)/*/bin has initdb and pg_ctl "
          + "(Debian: apt-get install postgresql)")
    }
    // Only some of the programs may have links in the PATH.
    return URL(filePath: "\(found)/pg_ctl").resolvingSymlinksInPath().deletingLastPathComponent().path
  }
}
