import Foundation
public import UpkeepRuns

/// Tells processes apart by Linux's `/proc`.
public struct ProcProcessInspector: ProcessInspector {
  /// This process.
  public let current: ProcessIdentity
  private let folder: String

  /// Reads who this process is.
  /// - Parameter folder: Where `/proc` is; tests bring their own.
  public init(folder: String = "/proc") {
    self.folder = folder
    let pid = ProcessInfo.processInfo.processIdentifier
    let namespace = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/self/ns/pid")
    current = ProcessIdentity(
      host: Self.line("\(folder)/sys/kernel/hostname") ?? ProcessInfo.processInfo.hostName,
      bootID: Self.line("\(folder)/sys/kernel/random/boot_id") ?? "", namespace: namespace ?? "", pid: pid,
      startTime: Self.stat("\(folder)/self/stat")?.startTime ?? 0)
  }

  /// Whether a process lives: it is looked up where it can be, on this host in this boot and PID namespace.
  ///
  /// A process of an earlier boot of this host is gone. A zombie is gone too: it runs nothing any more, but keeps its
  /// PID until its parent asks for it, which in a container may be never.
  public func liveness(of process: ProcessIdentity) -> Liveness {
    // This process lives, and asks often.
    if process == current { return .alive }
    guard process.host == current.host, !current.bootID.isEmpty else { return .unknown }
    guard process.bootID == current.bootID else { return .gone }
    guard process.namespace == current.namespace else { return .unknown }
    guard let stat = Self.stat("\(folder)/\(process.pid)/stat"), stat.startTime == process.startTime else {
      return .gone
    }
    return stat.state == "Z" || stat.state == "X" ? .gone : .alive
  }

  private static func line(_ path: String) -> String? {
    let text = try? String(contentsOfFile: path, encoding: .utf8)
    return text?.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The state (field 3) and the start time (field 22) of `/proc/PID/stat`.
  ///
  /// Field 2 is the command in brackets and may hold blanks and brackets itself, so fields count from the last `)`.
  static func stat(_ path: String) -> (state: Substring, startTime: UInt64)? {
    // Bytes, not UTF-8: a command's name may be anything.
    guard let bytes = FileManager.default.contents(atPath: path),
      let bracket = bytes.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    let fields = String(decoding: bytes[bytes.index(after: bracket)...], as: UTF8.self)
      .split(separator: " ", omittingEmptySubsequences: true)
    guard fields.count > 19, let startTime = UInt64(fields[19]) else { return nil }
    return (fields[0], startTime)
  }
}
