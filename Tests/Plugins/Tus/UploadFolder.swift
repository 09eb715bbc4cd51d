import Foundation
import UpkeepCore
import UpkeepTestKit

@testable import TusExpiryPlugin

/// An upload folder with the files that servers leave, each with the times it should have; gone with the value.
final class UploadFolder: Sendable {
  static let now = ManualWallClock.noon

  let path: String
  private let place: String

  init() throws {
    place = NSTemporaryDirectory() + "upkeep-tus-\(UUID().uuidString)"
    path = place + "/uploads"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: place)
  }

  /// A path beside the folder, outside of it.
  func outside(_ name: String) -> String { place + "/" + name }

  func path(_ name: String) -> String { path + "/" + name }

  /// Writes a file that was last changed so long ago.
  func write(_ bytes: [UInt8], to path: [UInt8], age: Duration) throws {
    let name = path.map { CChar(bitPattern: $0) } + [0]
    let descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    try check(descriptor >= 0, "open")
    defer { close(descriptor) }
    try check(bytes.isEmpty || Glibc.write(descriptor, bytes, bytes.count) == bytes.count, "write")
    try Self.setAge(age, of: descriptor)
  }

  func write(_ text: String, to name: String, age: Duration = .days(3)) throws {
    try write(Array(text.utf8), to: Array(path(name).utf8), age: age)
  }

  func write(size: Int, to name: String, age: Duration = .days(3)) throws {
    try write([UInt8](repeating: 120, count: size), to: Array(path(name).utf8), age: age)
  }

  /// Makes a file look as if it had been changed so long ago.
  func setAge(_ age: Duration, of name: String) throws {
    let descriptor = open(path(name), O_RDONLY)
    try check(descriptor >= 0, "open")
    defer { close(descriptor) }
    try Self.setAge(age, of: descriptor)
  }

  private static func setAge(_ age: Duration, of descriptor: Int32) throws {
    let instant = Self.now - age
    let seconds = instant.seconds
    let nanoseconds = Int(instant.microseconds - seconds * 1_000_000) * 1000
    let time = timespec(tv_sec: Int(seconds), tv_nsec: nanoseconds)
    let done = withUnsafePointer(to: (time, time)) { pointer in
      pointer.withMemoryRebound(to: timespec.self, capacity: 2) { futimens(descriptor, $0) }
    }
    guard done == 0 else { throw SystemError.last }
  }

  private func check(_ condition: Bool, _ call: String) throws {
    if !condition { throw SystemError.last }
  }

  func folder(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
  }

  func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
  }

  func has(_ name: String) -> Bool {
    var status = stat()
    return lstat(path(name), &status) == 0
  }

  /// All names in it, deep, sorted.
  var names: [String] {
    (FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []).sorted()
  }

  /// Every name with its kind, its size and its time.
  var digest: String {
    names.map { name in
      var status = stat()
      lstat(path(name), &status)
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      return "\(name) \(status.st_mode) \(isFolder ? 0 : status.st_size) \(isFolder ? 0 : status.st_mtim.tv_sec)"
    }.joined(separator: "\n")
  }
}

extension Duration {
  static func days(_ number: Int) -> Duration { .seconds(number * 86_400) }
  static func hours(_ number: Int) -> Duration { .seconds(number * 3600) }
  static func minutes(_ number: Int) -> Duration { .seconds(number * 60) }
}
