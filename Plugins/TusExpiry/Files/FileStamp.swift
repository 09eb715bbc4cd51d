import Glibc
import UpkeepCore

/// What a file is and when it was changed, to notice that it is another one or has moved.
struct FileStamp: Equatable {
  /// The device of the file system.
  let device: UInt64
  let inode: UInt64
  /// Bytes.
  let size: Int64
  /// When the contents were last written, in nanoseconds since 1970.
  let written: Int64
  /// Whether it is a regular file.
  let isRegular: Bool
  let isFolder: Bool
  let isLink: Bool
  /// How many names it has.
  let names: UInt64
  let owner: UInt32
  let group: UInt32

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    size = Int64(status.st_size)
    let (high, overflow) = Int64(status.st_mtim.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
    written = overflow ? .max : high + Int64(status.st_mtim.tv_nsec)
    let kind = status.st_mode & S_IFMT
    isRegular = kind == S_IFREG
    isFolder = kind == S_IFDIR
    isLink = kind == S_IFLNK
    names = UInt64(status.st_nlink)
    owner = status.st_uid
    group = status.st_gid
  }

  /// When the contents were last written.
  var modified: Timestamp {
    let (quotient, rest) = written.quotientAndRemainder(dividingBy: 1000)
    return Timestamp(microseconds: rest < 0 ? quotient - 1 : quotient)
  }

  /// How many bytes come free when this name goes: none while the file has another name.
  var freedBytes: Int { names <= 1 ? Int(size) : 0 }

  /// Whether both are the same file.
  func isSameFile(as other: FileStamp) -> Bool {
    device == other.device && inode == other.inode
  }
}
