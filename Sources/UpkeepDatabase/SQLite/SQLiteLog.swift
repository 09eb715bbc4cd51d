import Foundation

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

  /// Whether every frame is in the database, so that the next writer begins the log anew where no reader needs it.
  public var isCheckpointed: Bool {
    checkpointed >= frames
  }
}

extension LogState {
  /// Reads the state from the header of the wal-index (`-shm`) of a SQLite file, which costs no lock and no statement.
  ///
  /// Source: "WAL-mode File Format", sections 2.1 and 2.2: iChange at byte 8, szPage at 14, mxFrame at 16, nBackfill at
  /// 96, all in the machine's byte order.
  /// - Returns: Nothing where the file isn't in WAL mode, or nobody has it open.
  init?(sqlite path: String) {
    let file = open(path + "-shm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var words = [UInt32](repeating: 0, count: 25)
    let count = words.withUnsafeMutableBytes { pread(file, $0.baseAddress, 100, 0) }
    guard count == 100, words[0] == 3_007_000 else { return nil }
    let size = Int(words[3] >> 16)
    self.init(
      frames: Int(words[4]), checkpointed: Int(words[24]), pageSize: size == 1 ? 65_536 : size,
      commits: words[2])
  }
}
