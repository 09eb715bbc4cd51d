/// A folder's path in its plainest form, by its letters alone.
struct FolderPath {
  /// Without empty components, `.` and a slash at the end, behind which a symbolic link would be followed.
  let text: String
  /// Whether it ends in `..`, so that what it names can't be opened without following something.
  let endsAbove: Bool

  init(_ path: String) {
    let parts = path.split(separator: "/").filter { $0 != "." }
    text = "/" + parts.joined(separator: "/")
    endsAbove = parts.last == ".."
  }

  /// Whether it is the root of the file system, `/srv/..` included.
  var isRoot: Bool {
    var depth = 0
    for part in text.split(separator: "/") { depth = part == ".." ? max(0, depth - 1) : depth + 1 }
    return depth == 0
  }
}
