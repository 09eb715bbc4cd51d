import Foundation
import GRDB
import UpkeepCore

/// Turns SQLite's errors into ones that say what to do.
struct SQLiteErrors: Sendable {
  let label: String
  let path: String
  /// What to do where the file is damaged.
  var ifDamaged = "check the path; if it is right, run PRAGMA integrity_check and restore a back-up"

  /// Whether nothing can be written any more: SQLite calls what it couldn't write of its shared memory a failure.
  private var isDiskFull: Bool {
    var information = statvfs()
    return statvfs(path, &information) == 0 && Int(information.f_bavail) * Int(information.f_frsize) < 64 << 10
  }

  func translated(_ error: any Error) -> any Error {
    guard let error = error as? DatabaseError else { return error }
    let message = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
    func made(_ code: String, _ problem: String, _ fix: String) -> TaskError {
      TaskError(code: code, place: label, problem: problem, fix: fix)
    }
    switch error.resultCode {
    case .SQLITE_INTERRUPT, .SQLITE_ABORT:
      return CancellationError()
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return made(
        "database_busy", "another connection kept its lock for too long (\(message))",
        "find the program that holds a long transaction open, or run at another time")
    case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
      return made(
        "database_readonly", "user \(NSUserName()) may not write this file or its folder (\(message))",
        "give the user write permission on the file and the folder it lies in")
    case .SQLITE_CANTOPEN:
      return made(
        "database_cannot_open", "user \(NSUserName()) can't open this file (\(message))",
        "check the permissions of the file and of every folder above it")
    case .SQLITE_NOTADB, .SQLITE_CORRUPT:
      return made(
        "database_damaged", "this is no SQLite database, or it is damaged (\(message))", ifDamaged)
    case .SQLITE_FULL:
      return made("disk_full", "the disk is full (\(message))", "free some space, then run again: nothing was lost")
    case .SQLITE_IOERR where isDiskFull:
      return made("disk_full", "the disk is full (\(message))", "free some space, then run again: nothing was lost")
    case .SQLITE_IOERR:
      return made("disk_error", "the disk failed (\(message))", "check the disk and the system's log")
    case .SQLITE_CONSTRAINT:
      return made("constraint", "a constraint of the schema was violated (\(message))", "see the table that is named")
    default:
      let statement = error.sql.map { " in \($0.prefix(300))" } ?? ""
      return made(
        "database_error", "\(message)\(statement)", "if the schema isn't the expected one, check the task's settings")
    }
  }
}
