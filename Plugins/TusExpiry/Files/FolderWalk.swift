import Glibc

/// Goes through a folder and the folders in it, one entry at a time: it holds a handle for each level, and no list.
final class FolderWalk {
  /// How deep it goes.
  static let deepest = 32

  /// What became of a folder that was found.
  enum Descent: Equatable {
    case entered
    /// It is gone, or something else has its name by now.
    case changed
    /// Something is mounted there.
    case otherMount
    case tooDeep
    case unreadable(SystemError)
  }

  private struct Level {
    var folder: DirectoryHandle
    var name: EntryName?
  }

  private var levels: [Level]
  private let mount: Int?

  /// Begins at a folder.
  init(_ root: DirectoryHandle) {
    levels = [Level(folder: root, name: nil)]
    mount = MountTable.mount(of: root.descriptor)
  }

  /// The folder that the last entry was found in.
  var folder: DirectoryHandle { levels[levels.count - 1].folder }
  /// The folder it began at.
  var root: DirectoryHandle { levels[0].folder }
  /// Whether the last entry was found in the folder it began at.
  var isAtRoot: Bool { levels.count == 1 }

  /// What comes next.
  enum Step {
    /// An entry of ``folder``.
    case entry(DirectoryHandle.Entry)
    /// The end of ``folder``, which ``leave()`` goes out of.
    case end
    /// ``folder`` can't be read on.
    case unreadable(SystemError)
  }

  /// Looks for the next entry of the present folder.
  func next() -> Step {
    do throws(SystemError) {
      return try folder.next().map { .entry($0) } ?? .end
    } catch {
      return .unreadable(error)
    }
  }

  /// Goes back to the folder around the present one.
  /// - Returns: False where there is none: the walk is over.
  func leave() -> Bool {
    guard levels.count > 1 else { return false }
    levels.removeLast()
    return true
  }

  /// Goes into a folder that was just found.
  func enter(_ name: EntryName) -> Descent {
    guard levels.count <= Self.deepest else { return .tooDeep }
    do throws(SystemError) {
      let inner = try folder.openFolder(name)
      // A mount of the same file system has the same device, but not the same mount.
      guard inner.stamp.device == root.stamp.device, MountTable.mount(of: inner.descriptor) == mount else {
        return .otherMount
      }
      levels.append(Level(folder: inner, name: name))
      return .entered
    } catch {
      switch error.code {
      case ENOENT, ENOTDIR, ELOOP: return .changed
      default: return .unreadable(error)
      }
    }
  }

  /// The path of an entry of the present folder from the root, for people.
  func path(of name: EntryName) -> String {
    (levels.compactMap(\.name) + [name]).map(\.text).joined(separator: "/")
  }
}
