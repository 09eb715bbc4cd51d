import Foundation
import PostgresCluster
import Testing
import UpkeepCore
import UpkeepDatabase

/// Ways to connect, and what is said where that doesn't work.
struct PostgresConnectionTests {
  private func failure(_ url: String, passwordFile: String? = nil) async -> TaskError? {
    await #expect(throws: TaskError.self) {
      _ = try await PostgresDatabase(name: "odds", url: url, passwordFile: passwordFile).open(.read, purpose: "test")
    }
  }

  @Test func saysThatNoServerAnswers() async throws {
    let url = "postgresql://u:geheim@/odds?host=/nowhere/at/all"
    let error = await failure(url)
    #expect(error?.code == "database_unreachable")
    #expect(
      error?.description == "database odds (postgresql://u:***@/odds?host=/nowhere/at/all): no server answers "
        + "(connection to server on socket \"/nowhere/at/all/.s.PGSQL.5432\" failed: No such file or directory "
        + "Is the server running locally and accepting connections on that socket?); "
        + "check the host and the port, and that the server runs and listens there")
  }

  @Test func saysThatThereIsNoSuchDatabase() async throws {
    let error = await failure(try PostgresCluster.shared().url("nowhere"))
    #expect(error?.code == "database_missing")
    #expect(error?.problem.contains("database \"nowhere\" does not exist") == true)
  }

  @Test func saysThatThePasswordIsWrong() async throws {
    let cluster = try PostgresCluster.shared()
    try await cluster.execute(
      "DO $$ BEGIN CREATE ROLE guarded LOGIN PASSWORD 'right'; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
      in: "postgres")
    let folder = NSTemporaryDirectory() + "upkeep-password-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let url = cluster.url("postgres", user: "guarded")
    try "wrong\n".write(toFile: "\(folder)/wrong", atomically: false, encoding: .utf8)
    try "right\n".write(toFile: "\(folder)/right", atomically: false, encoding: .utf8)
    try "two\nlines\n".write(toFile: "\(folder)/two", atomically: false, encoding: .utf8)
    let error = await failure(url, passwordFile: "\(folder)/wrong")
    #expect(error?.code == "wrong_password")
    #expect(error?.problem.contains("password authentication failed for user \"guarded\"") == true)
    #expect(error?.description.contains("wrong\n") == false)
    #expect(await failure(url, passwordFile: "\(folder)/two")?.code == "password_file")
    #expect(await failure(url, passwordFile: "\(folder)/none")?.code == "password_file")
    let session = try await PostgresDatabase(name: "odds", url: url, passwordFile: "\(folder)/right")
      .open(.read, purpose: "test")
    #expect(try await session.perform { try $0.first("SELECT current_user") } == ["guarded"])
  }

  @Test(arguments: [
    ("SELECT * FROM secret", "GRANT SELECT ON secret TO reader;"),
    ("DELETE FROM secret WHERE a = 1", "GRANT SELECT, DELETE ON secret TO reader;"),
    ("UPDATE secret SET a = 2", "GRANT SELECT, UPDATE ON secret TO reader;"),
    ("INSERT INTO secret VALUES (1)", "GRANT INSERT ON secret TO reader;"),
    ("SELECT * FROM hidden.t", "GRANT USAGE ON SCHEMA hidden TO reader;"),
  ])
  func namesTheGrantThatIsMissing(statement: String, grant: String) async throws {
    let cluster = try PostgresCluster.shared()
    let database = try await cluster.makeDatabase()
    let owner = try await database.open(.write(.normal), purpose: "test")
    let name = try await owner.perform { connection in
      for statement in [
        "DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
        "CREATE TABLE secret(a int)", "CREATE SCHEMA hidden", "CREATE TABLE hidden.t(a int)",
      ] { try connection.execute(statement) }
      return try connection.first("SELECT current_database()")?[0].text ?? ""
    }
    let session = try await PostgresDatabase(name: "odds", url: cluster.url(name, user: "reader"))
      .open(.write(.normal), purpose: "test")
    let error = await #expect(throws: TaskError.self) { _ = try await session.perform { try $0.rows(statement) } }
    #expect(error?.code == "permission_denied")
    #expect(error?.fix == "have the owner say: \(grant)")
  }
}
