import Foundation
import UpkeepCore

/// What a server or libpq says went wrong.
struct PostgresFault: Error {
  /// The five signs of the kind of error (PostgreSQL documentation, "PostgreSQL Error Codes"); nothing where the server
  /// didn't say anything.
  var state: String?
  var message: String
  var statement = ""
  var user = ""
}

/// libpq can't be loaded.
struct MissingLibrary: Error {
  /// What the system's loader says.
  var message: String
}

/// Turns PostgreSQL's errors into ones that say what to do.
struct PostgresErrors: Sendable {
  let label: String

  func translated(_ error: any Error) -> any Error {
    guard let fault = error as? PostgresFault else { return error }
    let message = fault.message
    func made(_ code: String, _ problem: String, _ fix: String) -> TaskError {
      TaskError(code: code, place: label, problem: problem, fix: fix)
    }
    switch fault.state ?? "" {
    case "": return lost(message)
    case "57014" where message.contains("statement timeout"):
      return made("statement_timeout", "a statement took too long (\(message))", "see what the server is busy with")
    case "57014": return CancellationError()
    case "57P01", "57P02", "57P03", "57P05", "25P03": return lost(message)
    case let state where state.hasPrefix("08"): return lost(message)
    case "40P01": return made("deadlock", message, "run again")
    case "40001": return made("serialization", message, "run again")
    case "55P03":
      return made(
        "lock_timeout", "another session kept its lock for too long (\(message))",
        "find the session that holds it in pg_stat_activity, or run at another time")
    case "42501": return denied(fault)
    case "23503": return made("foreign_key", message, "see the table that is named")
    case let state where state.hasPrefix("23"): return made("constraint", message, "see the table that is named")
    case "2BP01":
      return made("needed_by_others", message, "see what depends on it, and whether it is wanted any more")
    case "25006":
      return made("database_readonly", "the server only lets read (\(message))", "name the primary server")
    case "53100": return made("disk_full", "the server's disk is full (\(message))", "free some space, then run again")
    case "53300":
      return made(
        "too_many_connections", message, "raise max_connections of the server, or let fewer tasks run at once")
    case "28P01", "28000":
      return made(
        "wrong_password", "the server refuses this user (\(message))",
        "check the user, the password or password_file, and pg_hba.conf of the server")
    case "3D000":
      return made("database_missing", "the server has no such database (\(message))", "check its name, or create it")
    case let state:
      return made(
        "database_error", "\(message) (\(state))\(Self.excerpt(fault.statement))",
        "if the schema isn't the expected one, check the task's settings")
    }
  }

  /// A connection that couldn't be made.
  func unreachable(_ error: any Error) -> any Error {
    if let missing = error as? MissingLibrary {
      return TaskError(
        code: "libpq_missing", place: label,
        problem: "PostgreSQL's client library can't be loaded (\(missing.message))",
        fix: "install libpq (Debian, Ubuntu: apt-get install libpq5)")
    }
    guard let fault = error as? PostgresFault else { return error }
    // The server's own words come with the kind of error before them, those of libpq without. All kinds that keep a
    // connection from being made begin with a digit.
    let state = fault.message.firstMatch(of: #/:\s+([0-9][0-9A-Z]{4}): /#)?.1
    guard let state else {
      return TaskError(
        code: "database_unreachable", place: label, problem: "no server answers (\(Self.plain(fault.message)))",
        fix: "check the host and the port, and that the server runs and listens there")
    }
    let plain = Self.plain(fault.message.replacing("\(state): ", with: ""))
    if state == "57P03" { return lost(plain) }
    return translated(PostgresFault(state: String(state), message: plain, user: fault.user))
  }

  private func lost(_ message: String) -> TaskError {
    TaskError(
      code: "connection_lost", place: label, problem: "the connection to the server was lost (\(Self.plain(message)))",
      fix: "see the server's log, then run again: what was committed is counted")
  }

  /// What the user may not, and what would let them.
  private func denied(_ fault: PostgresFault) -> TaskError {
    let user = SQLName.quoted(fault.user.isEmpty ? "the_user" : fault.user)
    let words = fault.message.split(separator: " ").map(String.init)
    let name = words.last.map { SQLName.quoted($0.filter { $0 != "\"" }) } ?? ""
    let verbs = fault.statement.split { " (".contains($0) }.map { $0.uppercased() }.drop { $0 == "EXPLAIN" }
    let right =
      switch verbs.first == "WITH" ? verbs.first(where: ["DELETE", "UPDATE", "INSERT"].contains) : verbs.first {
      case "DELETE": "SELECT, DELETE"
      case "UPDATE": "SELECT, UPDATE"
      case "INSERT": "INSERT"
      default: "SELECT"
      }
    let grant: String
    if fault.message.contains("temporary tables") {
      grant = "GRANT TEMPORARY ON DATABASE \(name) TO \(user)"
    } else if words.dropLast().last == "schema" {
      grant = "GRANT USAGE ON SCHEMA \(name) TO \(user)"
    } else if words.dropLast().last == "sequence" {
      grant = "GRANT USAGE ON SEQUENCE \(name) TO \(user)"
    } else {
      grant = "GRANT \(right) ON \(name) TO \(user)"
    }
    return TaskError(
      code: "permission_denied", place: label, problem: "user \(user) may not do this (\(fault.message))",
      fix: "have the owner say: \(grant);")
  }

  private static func excerpt(_ statement: String) -> String {
    statement.isEmpty ? "" : " in \(statement.prefix(300))"
  }

  /// The first line that says something, without what stands around it.
  private static func plain(_ message: String) -> String {
    let lines = message.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    return lines.filter { !$0.hasPrefix("LOCATION:") }.joined(separator: " ")
  }
}
