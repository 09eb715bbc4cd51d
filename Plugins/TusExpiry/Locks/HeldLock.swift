import Glibc

/// The right to remove an upload: all locks that its server would take.
final class HeldLock {
  private struct Part {
    var folder: DirectoryHandle
    var name: EntryName
    /// The lock's file, where it was there before and is held by an flock on it.
    var descriptor: Int32?
    /// Whether it is there only since we hold the lock.
    var isOurs: Bool { descriptor == nil && !isLeftover }
    /// Whether it is no lock, but goes with it.
    var isLeftover = false
  }

  private var parts: [Part] = []

  /// Adds a lock.
  func add(_ name: EntryName, in folder: DirectoryHandle, descriptor: Int32? = nil) {
    parts.append(Part(folder: folder, name: name, descriptor: descriptor))
  }

  /// Adds a file that is of no use once the upload is gone.
  func addLeftover(_ name: EntryName, in folder: DirectoryHandle) {
    parts.append(Part(folder: folder, name: name, isLeftover: true))
  }

  /// Whether what is held is still what stands at its name: a lock on a file that somebody has removed is none.
  var isStillThere: Bool {
    parts.allSatisfy { part in
      guard let descriptor = part.descriptor else { return true }
      var status = stat()
      guard fstat(descriptor, &status) == 0, let found = try? part.folder.stamp(of: part.name) else { return false }
      return found.isSameFile(as: FileStamp(status))
    }
  }

  /// Gives the locks back, their files removed.
  ///
  /// - Parameter removes: False leaves a file that was there before where it is.
  func release(removes: Bool) {
    for part in parts {
      if removes || part.isOurs { _ = try? part.folder.unlink(part.name) }
      if let descriptor = part.descriptor { close(descriptor) }
    }
    parts = []
  }

  deinit {
    release(removes: false)
  }
}
