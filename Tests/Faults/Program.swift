import Foundation
import Synchronization
import UpkeepTestKit

/// The built program, as a process of its own.
enum Program {
  /// It lies beside the test bundle.
  static let path: String = {
    let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: bundle).deletingLastPathComponent().appending(path: "upkeep").path
  }()

  /// How a process ended, and what it said.
  struct Ending: Sendable {
    /// The exit status; the signal's number negated where a signal ended it.
    var status: Int32
    var output: String
    var errors: String
  }

  /// Starts the program, or another one.
  static func start(_ arguments: [String], _ program: String = path) throws -> RunningProgram {
    try RunningProgram(program, arguments)
  }

  /// Runs it to its end.
  static func run(_ arguments: [String], _ program: String = path) throws -> Ending {
    let child = try start(arguments, program)
    while !child.waitForEnd(.seconds(60)) {}
    return try child.end()
  }
}

/// A running process, whose end can be waited for.
///
/// Foundation's `Process` offers no wait with a limit: here the process holds a pipe that closes when it ends.
final class RunningProgram: Sendable {
  private let pid: pid_t
  private let life: Int32
  private let folder: TemporaryFolder

  init(_ program: String, _ arguments: [String]) throws {
    folder = try TemporaryFolder()
    let folder = folder
    // One at a time, so that no other process gets this one's pipe before it is marked as not to be handed on.
    (pid, life) = try Self.starting.withLock { _ in try Self.start(program, arguments, in: folder) }
  }

  private static let starting = Mutex(())

  private static func start(
    _ program: String, _ arguments: [String], in folder: TemporaryFolder
  ) throws -> (pid_t, Int32) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw DiskFailure(message: "pipe: \(errno)") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, folder.file("output"), O_WRONLY | O_CREAT, 0o644)
    posix_spawn_file_actions_addopen(&actions, 2, folder.file("errors"), O_WRONLY | O_CREAT, 0o644)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 3)
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    var settings: [UnsafeMutablePointer<CChar>?] =
      ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer {
      for word in words + settings { free(word) }
    }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, program, &actions, nil, &words, &settings)
    close(ends[1])
    guard code == 0 else {
      close(ends[0])
      throw DiskFailure(message: "can't start \(program): \(String(cString: strerror(code)))")
    }
    return (pid, ends[0])
  }

  deinit {
    close(life)
  }

  /// Waits for the end, for so long at the most.
  /// - Returns: Whether it has ended.
  func waitForEnd(_ limit: Duration) -> Bool {
    var waits = pollfd(fd: life, events: 0, revents: 0)
    return poll(&waits, 1, Int32(limit / .milliseconds(1))) == 1
  }

  /// Kills it; nothing happens where it has ended.
  func kill() {
    _ = Foundation.kill(pid, SIGKILL)
  }

  /// Takes its end, which must have come or be near.
  func end() throws -> Program.Ending {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 {
      guard errno == EINTR else { throw DiskFailure(message: "waitpid: \(errno)") }
    }
    let signal = status & 0x7F
    return Program.Ending(
      status: signal == 0 ? (status >> 8) & 0xFF : -signal,
      output: try String(contentsOfFile: folder.file("output"), encoding: .utf8),
      errors: try String(contentsOfFile: folder.file("errors"), encoding: .utf8))
  }
}
