import Glibc

/// What the system says of its mounts.
enum MountTable {
  /// The number of the mount that an open file lies on; nothing where the system doesn't say.
  static func mount(of descriptor: Int32) -> Int? {
    guard let text = text(of: "/proc/self/fdinfo/\(descriptor)") else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix("mnt_id:") {
      return Int(line.dropFirst("mnt_id:".count).drop { $0 == "\t" || $0 == " " })
    }
    return nil
  }

  /// The path at which a mount stands; nothing where the system doesn't say.
  static func path(of mount: Int) -> String? {
    guard let text = text(of: "/proc/self/mountinfo") else { return nil }
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      if fields.count > 4, fields[0] == "\(mount)" { return String(fields[4]) }
    }
    return nil
  }

  /// A number that is another one after each start of the machine.
  static var boot: String? {
    text(of: "/proc/sys/kernel/random/boot_id").map { String($0.prefix { $0 != "\n" }) }
  }

  /// The whole text of a file of the system's.
  private static func text(of path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while bytes.count < 4 << 20 {
      let count = read(descriptor, &chunk, chunk.count)
      guard count >= 0 else { return nil }
      if count == 0 { break }
      bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
