import Foundation
import Synchronization
public import UpkeepDatabase

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
  /// Held open as long as this process lives.
  private let life: Pipe

  /// Starts a server.
  ///
  /// - Parameter settings: Further settings, as in `wal_level=logical`.
  public init(_ settings: [String] = []) throws {
    (folder, user) = try Self.makeFolder()
    programs = try Self.programs()
    life = Pipe()
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
    life = Pipe()
    let data = "\(folder)/data"
    try run(
      "pg_basebackup", "-D", data, "-h", primary.folder, "-U", "upkeep", "-R", "-X", "stream", "-c", "fast", "--no-sync"
    )
    try start(with: Self.settings(in: folder))
  }

  deinit {
    try? life.fileHandleForWriting.close()
  }

  /// The address of a database.
  public func url(_ database: String, user: String = "upkeep") -> String {
    "postgresql:///\(database)?host=\(folder)&user=\(user)"
  }

  /// Makes an empty database that nobody else uses.
  ///
  /// - Parameters:
  ///   - maxReplicaLag: How far replicas may be behind before a purge waits for them.
  ///   - dropsPartitions: Whether partitions of which every row goes may be dropped.
  public func makeDatabase(
    _ name: String = "odds", maxReplicaLag: Duration? = nil, dropsPartitions: Bool = false
  ) async throws -> PostgresDatabase {
    let database = "t\(Self.names.add(1, ordering: .relaxed).newValue)"
    try await execute("CREATE DATABASE \(database) TEMPLATE template0", in: "postgres")
    return PostgresDatabase(
      name: name, url: url(database), maxReplicaLag: maxReplicaLag, dropsPartitions: dropsPartitions)
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

  /// Has a shell end the server and remove its folder as soon as this process, or this object, is no more.
  private func watch(_ data: String) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    let stop = (privileges() + ["\(programs)/pg_ctl", "-D", data, "-m", "immediate", "stop"])
      .map { "'\($0)'" }.joined(separator: " ")
    process.arguments = ["-c", "trap '' INT TERM HUP; read line; \(stop); rm -rf '\(folder)'"]
    process.standardInput = life
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    process.currentDirectoryURL = URL(filePath: "/")
    try process.run()
    try life.fileHandleForReading.close()
  }

  private func run(_ program: String, _ arguments: String...) throws {
    let words = privileges() + ["\(programs)/\(program)"] + arguments
    let output = "\(folder)/output"
    let status = try Self.spawn(words, output: output)
    guard status == 0 else {
      let said = [output, "\(folder)/log"].map { (try? String(contentsOfFile: $0, encoding: .utf8)) ?? "" }.joined()
      throw Failure(description: "\(words.joined(separator: " ")) failed: \(said)")
    }
  }

  /// Runs a command to its end. Foundation's `Process` would wait for the server as well, which inherits its socket.
  private static func spawn(_ words: [String], output: String) throws -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // What isn't open needn't be closed, which is no error.
    for descriptor: Int32 in 3..<1024 { posix_spawn_file_actions_addclose(&actions, descriptor) }
    let words = ["env", "-C", "/"] + words
    var arguments = words.map { strdup($0) } + [nil]
    defer { for case let argument? in arguments { free(argument) } }
    var process: pid_t = 0
    guard posix_spawnp(&process, words[0], &actions, nil, &arguments, environ) == 0 else {
      throw Failure(description: "\(words[0]) can't be started")
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw Failure(description: "\(words[0]) can't be waited for") }
    }
    return status
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
