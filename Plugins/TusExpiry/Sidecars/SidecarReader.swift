import Glibc

/// Reads sidecars into one buffer, again and again.
final class SidecarReader {
  /// The largest sidecar; servers limit the metadata in it to a few kilobytes.
  static let largest = 256 << 10

  /// What is at a sidecar's name.
  enum Contents {
    case bytes(UnsafeBufferPointer<UInt8>, FileStamp)
    case missing
    case foreign(String)
    case unreadable(String)
  }

  private let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: SidecarReader.largest + 1)

  deinit {
    buffer.deallocate()
  }

  /// Reads a file, which must be a regular one. The bytes are good until the next call.
  func read(_ name: EntryName, in folder: DirectoryHandle) -> Contents {
    let descriptor: Int32
    do throws(SystemError) {
      descriptor = try folder.openFile(name, O_RDONLY)
    } catch {
      switch error.code {
      case ENOENT: return .missing
      case ELOOP: return .foreign("it is a symbolic link")
      default: return .unreadable("it can't be opened: \(error.text)")
      }
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return .unreadable(SystemError.last.text) }
    let stamp = FileStamp(status)
    guard stamp.isRegular else { return .foreign("it is no regular file") }
    guard stamp.size <= Self.largest else { return .foreign("it is too large for a sidecar") }
    var filled = 0
    while filled < buffer.count, let start = buffer.baseAddress {
      let count = Glibc.read(descriptor, start + filled, buffer.count - filled)
      guard count >= 0 else {
        if errno == EINTR { continue }
        return .unreadable("it can't be read: \(SystemError.last.text)")
      }
      filled += count
      // A short read of a regular file is its end.
      if count == 0 || filled >= Int(stamp.size) { break }
    }
    guard filled <= Self.largest else { return .foreign("it is too large for a sidecar") }
    return .bytes(UnsafeBufferPointer(rebasing: buffer[..<filled]), stamp)
  }
}
