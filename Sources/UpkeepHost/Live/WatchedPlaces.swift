import Foundation

/// The folders in which a change can give a path another file: the one of the path, and that of each symbolic link on
/// the way to the file.
struct WatchedPlaces: Hashable {
  /// The names that count in each folder.
  private(set) var names: [String: Set<String>] = [:]

  /// How many links are followed at the most, as by the system.
  private static let links = 40

  init(of path: String) {
    var rest = Self.components(URL(fileURLWithPath: path).path)[...]
    var folder = ""
    var followed = 0
    while let name = rest.first {
      rest = rest.dropFirst()
      if name == "." { continue }
      if name == ".." {
        folder = (folder as NSString).deletingLastPathComponent
        if folder == "/" { folder = "" }
        continue
      }
      let place = "\(folder)/\(name)"
      let isLast = rest.isEmpty
      if followed < Self.links, let target = try? FileManager.default.destinationOfSymbolicLink(atPath: place) {
        followed += 1
        add(name, in: folder)
        rest = Self.components(target) + rest
        if target.hasPrefix("/") { folder = "" }
      } else {
        if isLast { add(name, in: folder) }
        folder = place
      }
    }
  }

  private mutating func add(_ name: String, in folder: String) {
    names[folder.isEmpty ? "/" : folder, default: []].insert(name)
  }

  private static func components(_ path: String) -> [String] {
    path.split(separator: "/").map(String.init)
  }
}

/// What tells a file from another one, and from itself at another time, without reading it.
struct FileFingerprint: Hashable {
  private var device: UInt64 = 0
  private var inode: UInt64 = 0
  private var size: Int64 = 0
  private var modified: [Int] = []
  private var changed: [Int] = []

  /// The fingerprint of the file at a path, links followed; nothing where there is none.
  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    size = Int64(status.st_size)
    modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
  }
}
