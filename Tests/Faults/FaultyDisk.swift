import FaultVFS
import Foundation
import UpkeepTestKit

/// What goes wrong with a disk.
enum Fault: Hashable {
  case none
  /// The power is cut at this operation, from 1.
  case power(at: Int)
  /// This operation of a kind fails, from 1; those after it as well where the fault lasts.
  case write(at: Int, lasting: Bool)
  case sync(at: Int, lasting: Bool)
  case truncation(at: Int, lasting: Bool)
  /// So many bytes are free.
  case full(after: Int)
}

/// The disk below a folder, on which SQLite's calls fail as planned.
///
/// Connections of this process to files in the folder must be opened after the disk was made, and closed before it goes.
final class FaultyDisk: Sendable {
  private let folder: TemporaryFolder
  private let number: Int32

  /// Takes over a folder as it is: what its files hold counts as durable.
  init(_ folder: TemporaryFolder) throws {
    self.folder = folder
    number = fault_disk_new(folder.path)
    guard number > 0 else { throw DiskFailure(message: "no fault disk for \(folder.path)") }
  }

  deinit {
    fault_disk_free(number)
  }

  /// Plans a fault and counts anew.
  func plan(_ fault: Fault) {
    switch fault {
    case .none: fault_disk_plan(number, FAULT_NONE, 0, 0)
    case .power(let at): fault_disk_plan(number, FAULT_POWER, Int64(at), 1)
    case .write(let at, let lasting): fault_disk_plan(number, FAULT_WRITE, Int64(at), lasting ? 1 : 0)
    case .sync(let at, let lasting): fault_disk_plan(number, FAULT_SYNC, Int64(at), lasting ? 1 : 0)
    case .truncation(let at, let lasting): fault_disk_plan(number, FAULT_TRUNCATE, Int64(at), lasting ? 1 : 0)
    case .full(let bytes): fault_disk_plan(number, FAULT_FULL, Int64(bytes), 1)
    }
  }

  /// Operations since the plan was made.
  var operations: Int { count(FAULT_POWER) }
  var writes: Int { count(FAULT_WRITE) }
  var syncs: Int { count(FAULT_SYNC) }
  var truncations: Int { count(FAULT_TRUNCATE) }
  /// Bytes by which files have grown since.
  var growth: Int { count(FAULT_FULL) }

  /// Whether the planned fault has happened.
  var wasStruck: Bool { fault_disk_struck(number) != 0 }

  /// Cuts the power where it isn't cut yet, and writes what survives into a new folder.
  ///
  /// - Parameter seed: Chooses what survives of the unsynced writes; 0 means nothing.
  func survivors(seed: UInt64) throws -> TemporaryFolder {
    fault_disk_cut(number)
    let survivors = try TemporaryFolder()
    let code = fault_disk_survive(number, survivors.path, seed)
    guard code == 0 else { throw DiskFailure(message: String(cString: strerror(code))) }
    return survivors
  }

  private func count(_ kind: fault_kind) -> Int {
    Int(fault_disk_count(number, kind))
  }
}

struct DiskFailure: Error {
  var message: String
}
