import Glibc

/// A folder by its handle. What is done to its entries is done in this folder, wherever its path leads by then.
final class DirectoryHandle {
  /// The kinds of entries that are told apart.
  enum Kind {
    case file
    case folder
    case link
    case other
  }

  struct Entry {
    var name: EntryName
    var kind: Kind
  }

  let descriptor: Int32
  let stamp: FileStamp
  private let stream: OpaquePointer

  /// Takes over an open descriptor of a folder.
  init(adopting descriptor: Int32) throws(SystemError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0, let stream = fdopendir(descriptor) else {
      let error = SystemError.last
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
    self.stream = stream
    stamp = FileStamp(status)
  }

  deinit {
    closedir(stream)
  }

  /// Opens the folder of a path, unless its last component is a symbolic link.
  static func open(path: String) throws(SystemError) -> DirectoryHandle {
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError.last }
    return try DirectoryHandle(adopting: descriptor)
  }

  /// Opens a folder in this one, unless it is a symbolic link.
  func openFolder(_ name: EntryName) throws(SystemError) -> DirectoryHandle {
    try DirectoryHandle(adopting: try openFile(name, O_RDONLY | O_DIRECTORY))
  }

  /// Opens an entry without following a link and without waiting for anybody; the caller closes it.
  func openFile(_ name: EntryName, _ flags: Int32, mode: mode_t = 0) throws(SystemError) -> Int32 {
    let descriptor = openat(descriptor, name.cString, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode)
    guard descriptor >= 0 else { throw SystemError.last }
    return descriptor
  }

  /// The next entry, in the order of the file system; nothing at the end.
  func next() throws(SystemError) -> Entry? {
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        guard errno == 0 else { throw SystemError.last }
        return nil
      }
      guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return nil }
      let start = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
      if start[0] == 46, start[1] == 0 || (start[1] == 46 && start[2] == 0) { continue }
      let name = EntryName(start)
      return Entry(name: name, kind: kind(Int32(entry.pointee.d_type), name))
    }
  }

  private func kind(_ type: Int32, _ name: EntryName) -> Kind {
    switch type {
    case Int32(DT_REG): return .file
    case Int32(DT_DIR): return .folder
    case Int32(DT_LNK): return .link
    case Int32(DT_UNKNOWN):
      guard let stamp = try? stamp(of: name) else { return .other }
      return stamp.isRegular ? .file : stamp.isFolder ? .folder : stamp.isLink ? .link : .other
    default: return .other
    }
  }

  /// What an entry is; nothing where there is none of that name.
  func stamp(of name: EntryName) throws(SystemError) -> FileStamp? {
    var status = stat()
    guard fstatat(descriptor, name.cString, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      let error = SystemError.last
      if error.code == ENOENT { return nil }
      throw error
    }
    return FileStamp(status)
  }

  /// Whether there is an entry of that name.
  func has(_ name: EntryName) -> Bool {
    var status = stat()
    return fstatat(descriptor, name.cString, &status, AT_SYMLINK_NOFOLLOW) == 0
  }

  /// Removes a name.
  /// - Returns: False where there was none.
  @discardableResult
  func unlink(_ name: EntryName) throws(SystemError) -> Bool {
    guard unlinkat(descriptor, name.cString, 0) == 0 else {
      let error = SystemError.last
      if error.code == ENOENT { return false }
      throw error
    }
    return true
  }

  /// Gives a file of another folder a second name here.
  func link(_ source: EntryName, in folder: DirectoryHandle, as name: EntryName) throws(SystemError) {
    guard linkat(folder.descriptor, source.cString, descriptor, name.cString, 0) == 0 else { throw SystemError.last }
  }
}
