import CSQLiteLog
import Synchronization

/// How a write-ahead log stands.
public struct LogState: Hashable, Sendable {
  /// Frames since the log was last begun anew; each holds a page.
  public var frames: Int
  /// Frames of those that a checkpoint has brought into the database.
  public var checkpointed: Int
  /// Bytes of a page.
  public var pageSize: Int
  /// Changes with every commit, whoever makes it.
  public var commits: UInt32

  /// Creates a state.
  public init(frames: Int, checkpointed: Int, pageSize: Int, commits: UInt32 = 0) {
    self.frames = frames
    self.checkpointed = checkpointed
    self.pageSize = pageSize
    self.commits = commits
  }

  /// Bytes of the log.
  public var bytes: Int {
    frames * (pageSize + 24)
  }

  /// Frames that a checkpoint has still to bring into the database.
  public var backlog: Int {
    max(0, frames - checkpointed)
  }
}

/// The open write-ahead log of a connection, to be pressed to the disk beside the connection's own statements.
final class SQLiteLogFile: Sendable {
  private enum State {
    case unknown
    /// Open at this address, until the connection is closed.
    case open(UInt)
    case closed
  }

  private let state = Mutex(State.unknown)

  var isKnown: Bool {
    state.withLock { if case .unknown = $0 { false } else { true } }
  }

  /// Takes note of the log that the connection has open.
  func note(_ file: UnsafeRawPointer) {
    state.withLock { if case .unknown = $0 { $0 = .open(UInt(bitPattern: file)) } }
  }

  /// Presses the log to the disk.
  /// - Returns: SQLite's result code.
  func sync() -> Int32 {
    // Under the lock, so that the connection stays open meanwhile.
    state.withLock { state in
      guard case .open(let address) = state, let file = UnsafeRawPointer(bitPattern: address) else { return 0 }
      return sqlite_log_sync(file)
    }
  }

  func close() {
    state.withLock { $0 = .closed }
  }
}

/// The header of the wal-index of a connection in WAL mode, which the connection has mapped into memory.
///
/// It is read there, and not from the `-shm` file: closing a file that a process has opened twice gives back the locks
/// that SQLite holds on it (POSIX, `fcntl`), and with them what keeps other programs from rebuilding the index.
final class SQLiteLogIndex: Sendable {
  /// The address as a number: it is readable until the connection is closed, which ``close()`` says.
  private let address: Mutex<UInt>

  init(_ index: UnsafeRawPointer?) {
    address = Mutex(UInt(bitPattern: index))
  }

  var state: LogState? {
    address.withLock { address in
      var state = sqlite_log_state()
      guard sqlite_log_read(UnsafeRawPointer(bitPattern: address), &state) != 0 else { return nil }
      return LogState(
        frames: Int(state.frames), checkpointed: Int(state.checkpointed), pageSize: Int(state.page_size),
        commits: state.commits)
    }
  }

  func close() {
    address.withLock { $0 = 0 }
  }
}
