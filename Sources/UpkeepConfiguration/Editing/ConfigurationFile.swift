import Foundation
import UpkeepCore

/// The configuration file on disk: read whole, and replaced whole or not at all.
///
/// A replacement is written to a temporary file in the same folder, brought to the disk, and renamed over the old one;
/// whoever reads the file at any moment, or after a crash, finds the old one or the new one. A symbolic link stays: the
/// file that it names is replaced.
struct ConfigurationFile: Sendable {
  /// A moment of a replacement, for tests that end it there.
  enum Moment: CaseIterable {
    case created, written, synced, checked, renamed
  }

  /// What a replacement found.
  enum Outcome: Hashable {
    case replaced
    /// Somebody else changed the file meanwhile: its hash now.
    case changed(String)
  }

  /// The file, as it was given.
  let path: String
  /// Told of each moment; what it throws ends the replacement as a crash would.
  var reached: @Sendable (Moment) throws -> Void = { _ in }

  init(path: String) {
    self.path = path
  }

  /// The bytes.
  func read() throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure("no_file", path, "can't be read") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw TaskError(
        code: "not_a_file", place: path, problem: "it isn't a plain file", fix: "name the YAML file itself")
    }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= YAMLParser.Limit.bytes {
      let count = Foundation.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("unreadable_file", path, "can't be read") }
      if count == 0 { break }
      bytes += buffer[..<count]
    }
    return bytes
  }

  /// Takes the lock of the file's folder, by which the writers of this program keep out of each other's way.
  /// - Returns: Nothing where another one holds it.
  func lock() throws -> Lock? {
    let folder = try target().folder
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("no_folder", folder, "can't be opened") }
    let lock = Lock(descriptor: descriptor)
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? lock : nil
  }

  /// The right to write, until it is let go.
  final class Lock: Sendable {
    fileprivate let descriptor: Int32

    fileprivate init(descriptor: Int32) {
      self.descriptor = descriptor
    }

    deinit {
      close(descriptor)
    }
  }

  /// Puts other bytes in the file's place.
  ///
  /// - Parameters:
  ///   - hash: The hash of the file that they replace.
  ///   - lock: The lock of the folder.
  /// - Returns: Whether it was done.
  /// - Throws: ``UpkeepCore/TaskError`` where it can't be.
  func replace(with bytes: [UInt8], ifHash hash: String, _ lock: Lock) throws -> Outcome {
    let (file, folder) = try target()
    guard access(file, W_OK) == 0 else { throw failure("unwritable_file", file, "can't be written") }
    var status = stat()
    guard stat(file, &status) == 0 else { throw failure("no_file", file, "can't be read") }
    // Whoever holds the lock may remove what a writer left that was killed.
    let temporary = "\(folder)/.\((file as NSString).lastPathComponent).upkeep-edit"
    unlink(temporary)
    try write(bytes, to: temporary, like: status)
    var isDone = false
    defer { if !isDone { unlink(temporary) } }
    try step(.synced, &isDone)
    let found = ContentHash.of(try read())
    guard found == hash else { return .changed(found) }
    try step(.checked, &isDone)
    guard rename(temporary, file) == 0 else { throw failure("unwritable_file", file, "can't be replaced") }
    isDone = true
    try reached(.renamed)
    // The rename is in force now; a folder that can't be synced only means that a power cut may undo it.
    fsync(lock.descriptor)
    return .replaced
  }

  private func write(_ bytes: [UInt8], to temporary: String, like status: stat) throws {
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw failure(
        "unwritable_folder", (temporary as NSString).deletingLastPathComponent, "a file can't be made in it")
    }
    defer { close(descriptor) }
    var isDone = false
    defer { if !isDone { unlink(temporary) } }
    try step(.created, &isDone)
    var own = stat()
    fstat(descriptor, &own)
    if own.st_uid != status.st_uid || own.st_gid != status.st_gid,
      fchown(descriptor, status.st_uid, status.st_gid) != 0
    {
      throw failure("unwritable_file", path, "its owner (\(status.st_uid):\(status.st_gid)) couldn't be kept")
    }
    guard fchmod(descriptor, status.st_mode & 0o7777) == 0 else {
      throw failure("unwritable_file", path, "its mode couldn't be kept")
    }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("unwritable_file", temporary, "can't be written") }
      rest = rest.dropFirst(count)
    }
    try step(.written, &isDone)
    guard fsync(descriptor) == 0 else { throw failure("unwritable_file", temporary, "can't be brought to the disk") }
    isDone = true
  }

  /// Tells of a moment; after a crash nobody would clean up.
  private func step(_ moment: Moment, _ isDone: inout Bool) throws {
    do {
      try reached(moment)
    } catch {
      isDone = true
      throw error
    }
  }

  /// The file itself, links followed, and its folder.
  private func target() throws -> (file: String, folder: String) {
    guard let resolved = realpath(path, nil) else { throw failure("no_file", path, "can't be found") }
    defer { free(resolved) }
    let file = String(cString: resolved)
    return (file, (file as NSString).deletingLastPathComponent)
  }

  private func failure(_ code: String, _ place: String, _ problem: String) -> TaskError {
    let number = errno
    let fix =
      switch number {
      case EACCES, EPERM: "run it as a user who may write there (this is \(NSUserName()))"
      case EROFS: "the file system is read-only; change the file where it comes from"
      case ENOSPC, EDQUOT: "make room on its disk"
      case ENOENT: "check its name"
      default: "see to that and repeat"
      }
    return TaskError(
      code: code, place: place, problem: "\(problem): \(String(cString: strerror(number)))", fix: fix)
  }
}
