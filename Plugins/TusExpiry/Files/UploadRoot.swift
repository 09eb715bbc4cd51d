import Glibc
import UpkeepCore

/// The upload folder, opened once and known by what it is.
struct UploadRoot {
  let folder: DirectoryHandle
  /// Its path, plain.
  let path: String
  /// Where it lies.
  let place: FolderPlace

  /// Opens an upload folder.
  /// - Returns: Nothing where there is none: then there is nothing to do.
  /// - Throws: ``UpkeepCore/TaskError`` where it is nothing to remove files in.
  static func open(_ folder: SettingPath) throws(TaskError) -> UploadRoot? {
    let path = FolderPath(folder.text)
    func refuse(_ problem: String, _ fix: String, code: String = "bad_folder") -> TaskError {
      TaskError(code: code, place: "folder \(path.text)", problem: problem, fix: fix)
    }
    if path.isRoot { throw refuse("it is the root of the file system", "name the upload folder") }
    if path.endsAbove { throw refuse("its path ends in ..", "name the folder itself") }
    let handle: DirectoryHandle
    do throws(SystemError) {
      handle = try DirectoryHandle.open(path: path.text)
    } catch {
      switch error.code {
      case ENOENT: return nil
      case ENOTDIR, ELOOP:
        var status = stat()
        let isLink = lstat(path.text, &status) == 0 && FileStamp(status).isLink
        throw isLink
          ? refuse("it is a symbolic link", "name the folder that it leads to", code: "folder_is_a_link")
          : refuse("it is no folder", "name the upload folder")
      default:
        throw refuse(
          "it can't be read: \(error.text)", "let the user of this program read and write it",
          code: "unreadable_folder")
      }
    }
    var status = stat()
    if stat("/", &status) == 0, FileStamp(status).isSameFile(as: handle.stamp) {
      throw refuse("it is the root of the file system", "name the upload folder")
    }
    let mount = MountTable.mount(of: handle.descriptor).flatMap(MountTable.path)
    let place = FolderPlace(
      path: path.text, device: handle.stamp.device, mount: mount, boot: MountTable.boot)
    return UploadRoot(folder: handle, path: path.text, place: place)
  }
}

/// Where a folder lies, to notice in the next run that its mount is missing.
///
/// The state store keeps it: it is a detail of each run's result.
struct FolderPlace: Equatable {
  /// The kind of the detail.
  static let kind = "folder"

  var path: String
  var device: UInt64
  /// Where its file system is mounted.
  var mount: String?
  /// Another one after each start of the machine, which may number its devices anew.
  var boot: String?

  init(path: String, device: UInt64, mount: String?, boot: String?) {
    self.path = path
    self.device = device
    self.mount = mount
    self.boot = boot
  }

  /// The place that a result tells of.
  init?(_ result: RunResult) {
    for case .object(let detail) in result.details where detail["kind"] == .string(Self.kind) {
      guard case .string(let path)? = detail["path"], case .string(let text)? = detail["device"],
        let device = Self.number(text)
      else { continue }
      self.init(path: path, device: device, mount: detail["mount"]?.string, boot: detail["boot_id"]?.string)
      return
    }
    return nil
  }

  /// As a result tells of it.
  var detail: [String: JSONValue] {
    [
      "path": .string(path), "device": .string("\(major):\(minor)"), "mount": mount.map { .string($0) } ?? .null,
      "boot_id": boot.map { .string($0) } ?? .null,
    ]
  }

  /// Refuses a folder that lies elsewhere than it did.
  ///
  /// Within one boot a device keeps its number. After another start only the path of the mount can be compared.
  func check(since last: FolderPlace?) throws(TaskError) {
    guard let last, last.path == path else { return }
    let isSameBoot = boot != nil && boot == last.boot
    let isElsewhere = isSameBoot ? device != last.device : mount != nil && last.mount != nil && mount != last.mount
    guard isElsewhere else { return }
    throw TaskError(
      code: "device_changed", place: "folder \(path)",
      problem: "it lay on \(last.words) in the last completed run, and lies on \(words) now: a mount may be missing",
      fix: "mount it again; if it is meant to lie there, run once with --set device_change=accept")
  }

  private var words: String {
    "device \(major):\(minor)" + (mount.map { " (mounted at \($0))" } ?? "")
  }

  // The bits of a device's number as glibc's gnu_dev_major and gnu_dev_minor take them apart.
  private var major: UInt64 { (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF }
  private var minor: UInt64 { device & 0xFF | (device >> 12) & ~0xFF }

  private static func number(_ text: String) -> UInt64? {
    let parts = text.split(separator: ":").compactMap { UInt64($0) }
    guard parts.count == 2, parts[0] <= UInt32.max, parts[1] <= UInt32.max else { return nil }
    return (parts[0] & 0xFFF) << 8 | (parts[0] & ~0xFFF) << 32 | parts[1] & 0xFF | (parts[1] & ~0xFF) << 12
  }
}

extension JSONValue {
  fileprivate var string: String? {
    if case .string(let text) = self { text } else { nil }
  }
}
