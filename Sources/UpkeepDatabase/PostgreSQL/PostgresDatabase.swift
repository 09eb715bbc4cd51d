import Foundation
import UpkeepCore

/// A database of a PostgreSQL server, through the system's libpq.
public struct PostgresDatabase: Database {
  /// The name under `databases:`.
  public let name: String
  /// A file that holds the password and nothing else.
  public let passwordFile: String?
  /// What it may be behind with before a purge waits for it.
  public let limits: ServerLimits
  /// Whether partitions of which every row goes may be dropped.
  public let dropsPartitions: Bool
  /// The address as libpq reads it. It may hold a password: never show it.
  private let url: String

  /// Describes a database; nothing is opened yet.
  ///
  /// - Parameters:
  ///   - name: The name under `databases:`.
  ///   - url: A URL with any of libpq's settings (PostgreSQL documentation, "Connection URIs"). What it leaves out comes
  ///     from the environment (`PGHOST`, `PGSERVICE` and so on), the service file and the password file of libpq.
  ///   - passwordFile: A file with the password.
  ///   - limits: What it may be behind with before a purge waits for it.
  ///   - dropsPartitions: Whether partitions of which every row goes may be dropped.
  public init(
    name: String, url: String, passwordFile: String? = nil, limits: ServerLimits = ServerLimits(),
    dropsPartitions: Bool = false
  ) {
    self.name = name
    self.limits = limits
    self.dropsPartitions = dropsPartitions
    self.url = url
    self.passwordFile = passwordFile
  }

  /// ``DatabaseEngine/postgres``
  public var engine: DatabaseEngine { .postgres }

  /// The address, its password masked.
  public var place: String { Secret.masked(url) }

  /// Connects.
  ///
  /// The session's time zone is UTC, whatever the server says, and a session for reading can't write anything but
  /// temporary tables.
  /// - Throws: ``UpkeepCore/TaskError`` that says whether there is no server, no such database, a wrong password or
  ///   another fault.
  public func open(_ mode: SessionMode, purpose: String) async throws -> any DatabaseSession {
    let session = PostgresSession(settings: try settings(purpose), errors: errors, mode: mode)
    try await session.connect()
    return session
  }

  /// Nothing: the server's disk is its own business.
  public func freeDisk() -> Int? { nil }
  /// Nothing: it lies on the server.
  public func fileSize() -> Int? { nil }

  var errors: PostgresErrors {
    PostgresErrors(label: "database \(name) (\(place))")
  }

  /// What libpq is told, in its order: of two values for one keyword the later holds.
  private func settings(_ purpose: String) throws -> [(keyword: String, value: String)] {
    var settings = [
      ("fallback_application_name", "upkeep"), ("keepalives_idle", "30"), ("keepalives_interval", "10"),
      ("keepalives_count", "3"), ("dbname", url), ("client_encoding", "UTF8"), ("application_name", purpose),
    ]
    if let passwordFile { settings.append(("password", try password(in: passwordFile))) }
    return settings
  }

  private func password(in file: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: file) else {
      throw TaskError(
        code: "password_file", place: errors.label, problem: "the password file \(file) can't be read",
        fix: "write the password into it, and let user \(NSUserName()) read it")
    }
    let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
    guard !text.isEmpty, !text.contains("\n"), !text.contains("\0") else {
      throw TaskError(
        code: "password_file", place: errors.label,
        problem: "the password file \(file) doesn't hold one line with a password",
        fix: "write the password alone into it")
    }
    return text
  }
}
