import Glibc

/// A file that stands for this process in locks: its id is in it, and it is locked with flock.
///
/// A second name of it in the right place is a lock in the sense of tusd (a file that a living process is named in, made
/// in one step) and of tuspyserver (a file that somebody holds an flock on) alike, and it can't be made where there is a
/// lock already. A file of its own for each lock would cost more than the upload's: ext4 passes over every inode that
/// was freed lately to find one for it.
final class LockToken {
  private static let prefix = ".upkeep-"

  let name: EntryName
  private let folder: DirectoryHandle
  private let descriptor: Int32

  /// Makes a token in the upload folder, whose owner it is given to so that the server can open it.
  init(in folder: DirectoryHandle, number: Int) throws(SystemError) {
    self.folder = folder
    name = EntryName("\(Self.prefix)\(getpid())-\(number).lock")
    descriptor = try folder.openFile(name, O_RDWR | O_CREAT | O_EXCL, mode: 0o644)
    let text = Array("\(getpid())\n".utf8)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, write(descriptor, text, text.count) == text.count else {
      let error = SystemError.last
      close(descriptor)
      _ = try? folder.unlink(name)
      throw error
    }
    if geteuid() == 0 { _ = fchown(descriptor, folder.stamp.owner, folder.stamp.group) }
  }

  deinit {
    _ = try? folder.unlink(name)
    close(descriptor)
  }

  /// Takes a lock: gives the token a second name.
  func link(into locks: DirectoryHandle, as lock: EntryName) throws(SystemError) {
    try locks.link(name, in: folder, as: lock)
  }

  /// Lets those go on who wait for a lock that this token was, of an upload that is gone.
  func rest() {
    _ = flock(descriptor, LOCK_UN)
  }

  /// Locks it again.
  /// - Returns: False while somebody who waited has it.
  func wake() -> Bool {
    flock(descriptor, LOCK_EX | LOCK_NB) == 0
  }

  /// A name for what is moved aside.
  static func asideName(_ number: Int) -> EntryName {
    EntryName("\(prefix)\(getpid())-aside-\(number).lock")
  }

  /// Whether an entry is a token.
  static func isToken(_ name: EntryName) -> Bool {
    name.hasSuffix(".lock") && name.bytes.starts(with: prefix.utf8)
  }

  /// Removes a token that a process which is gone has left. One that nobody has locked may rest.
  static func removeLeftover(_ name: EntryName, in folder: DirectoryHandle) {
    let digits = name.bytes.dropFirst(prefix.utf8.count).prefix { $0 >= 48 && $0 <= 57 }
    guard let process = pid_t(String(decoding: digits, as: UTF8.self)), process > 0, !ProcessLife.isAlive(process)
    else { return }
    guard let descriptor = try? folder.openFile(name, O_RDONLY) else { return }
    defer { close(descriptor) }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { _ = try? folder.unlink(name) }
  }
}
