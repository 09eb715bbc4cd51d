import CSpawn
import Foundation
import Synchronization

/// A program that a test starts, as a process of its own.
///
/// It inherits nothing but its three streams, is the first of a process group of its own, and is killed where it takes
/// longer than anything here should: a test that hangs would tell nobody which one it is. Foundation's `Process` hands
/// on whatever another thread opens while it starts something. A pipe that a server got that way has no end as long as
/// the server runs, and a process whose socket it got seems to run as long.
package final class ChildProcess: Sendable {
  /// Where a stream of it goes.
  package enum Sink: Sendable {
    /// To whoever reads it here.
    case kept
    /// To a file, which begins empty.
    case file(String)
    /// To where this process's own goes.
    case inherited
    case dropped
    /// To where its standard output goes.
    case withOutput
  }

  /// What kept it from starting.
  package struct Failure: Error, CustomStringConvertible {
    package var description: String
  }

  /// How long a process may take, unless something else is said.
  package static let patience: Duration? =
    ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == "1" ? nil : .seconds(900)

  private struct State {
    var status: Int32?
    var input: FileHandle?
  }

  package let pid: Int32
  /// Its standard output, where that is kept.
  package let output: ChildOutput
  /// Its standard error, where that is kept.
  package let errors: ChildOutput
  private let state: Mutex<State>
  private let running = DispatchGroup()

  /// Starts a program.
  /// - Parameters:
  ///   - program: Its path, or its name, which is looked for in `PATH`.
  ///   - folder: Where it works; where this process does, unless given.
  ///   - environment: All of its environment; this process's own, unless given.
  ///   - holdsInput: Whether its standard input stays open until ``closeInput()``; otherwise there is none.
  ///   - patience: How long it may take; nothing means that there is no limit.
  package init(
    _ program: String, _ arguments: [String] = [], in folder: String? = nil, environment: [String: String]? = nil,
    holdsInput: Bool = false, output: Sink = .kept, errors: Sink = .inherited, patience: Duration? = patience
  ) throws {
    var spawn = Spawn()
    if let folder { spawn.work(in: folder) }
    let input = try holdsInput ? spawn.input() : spawn.noInput()
    self.output = ChildOutput(try spawn.send(1, to: output))
    self.errors = ChildOutput(try spawn.send(2, to: errors))
    let pid = try spawn.start([program] + arguments, environment ?? ProcessInfo.processInfo.environment)
    self.pid = pid
    state = Mutex(State(input: input))
    running.enter()
    // Waiting blocks, so it has a thread of its own.
    Thread.detachNewThread { [self] in
      // It stays there to be killed until its status is kept: its number can't be somebody else's before that.
      var end = siginfo_t()
      while waitid(P_PID, id_t(pid), &end, WEXITED | WNOWAIT) < 0, errno == EINTR {}
      state.withLock { state in
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        state.status = signal == 0 ? (status >> 8) & 0xFF : 128 + signal
      }
      running.leave()
    }
    guard let patience else { return }
    DispatchQueue.global().asyncAfter(deadline: .now() + patience / .seconds(1)) { [weak self] in
      guard self?.signal(SIGKILL) == true else { return }
      FileHandle.standardError.write(Data("\(program) \(arguments) took longer than \(patience) and was killed\n".utf8))
    }
  }

  /// Sends a signal.
  /// - Returns: Whether it was still running.
  @discardableResult
  package func signal(_ number: Int32) -> Bool {
    state.withLock { state in
      guard state.status == nil else { return false }
      return kill(pid, number) == 0
    }
  }

  /// Writes to its standard input.
  package func send(_ text: String) throws {
    try state.withLock { $0.input }?.write(contentsOf: Data(text.utf8))
  }

  /// Lets its standard input end.
  package func closeInput() {
    state.withLock { state in
      try? state.input?.close()
      state.input = nil
    }
  }

  /// Waits for its end, blocking the thread.
  /// - Returns: Its exit status, 128 more than the number of the signal that ended it, as a shell says it; nothing where
  ///   it still runs after that long.
  package func wait(atMost limit: Duration) -> Int32? {
    _ = running.wait(timeout: .now() + limit / .seconds(1))
    return state.withLock { $0.status }
  }

  /// Waits for its end, blocking the thread.
  /// - Returns: As ``wait(atMost:)`` does.
  @discardableResult
  package func wait() -> Int32 {
    running.wait()
    return state.withLock { $0.status } ?? -1
  }

  /// Waits for its end.
  /// - Returns: As ``wait(atMost:)`` does.
  @discardableResult
  package func status() async -> Int32 {
    await withCheckedContinuation { continuation in
      running.notify(queue: .global()) { continuation.resume() }
    }
    return state.withLock { $0.status } ?? -1
  }
}

/// A stream of a process, to be read once.
package struct ChildOutput: Sendable {
  private let handle: FileHandle?

  fileprivate init(_ handle: FileHandle?) {
    self.handle = handle
  }

  /// Reads up to the end of the first line, which it leaves out, blocking the thread.
  package func firstLine() throws -> String {
    var line = Data()
    while let byte = try handle?.read(upToCount: 1), !byte.isEmpty, byte != Data("\n".utf8) { line += byte }
    return String(decoding: line, as: UTF8.self)
  }

  /// Reads all, blocking the thread.
  package func readToEnd() throws -> String {
    String(decoding: try handle?.readToEnd() ?? Data(), as: UTF8.self)
  }

  /// All that comes.
  package func text() async -> String {
    // As a whole: what is read at a time may end within a character.
    await read { _, _ in }.first { _ in true } ?? ""
  }

  /// What comes, as it comes; characters beyond ASCII may come apart.
  package func parts() -> AsyncStream<String> {
    read { data, send in
      guard !data.isEmpty else { return }
      send.yield(String(decoding: data, as: UTF8.self))
      data = Data()
    }
  }

  /// What comes, line by line.
  package func lines() -> AsyncStream<String> {
    read { data, send in
      while let end = data.firstIndex(of: UInt8(ascii: "\n")) {
        send.yield(String(decoding: data[..<end], as: UTF8.self))
        data = Data(data[(end + 1)...])
      }
    }
  }

  /// Reads on a thread of its own, since reading blocks, and at once, so that nobody has to wait for a reader.
  private func read(
    _ take: @escaping @Sendable (inout Data, AsyncStream<String>.Continuation) -> Void
  ) -> AsyncStream<String> {
    let (stream, send) = AsyncStream.makeStream(of: String.self)
    Thread.detachNewThread { [handle] in
      var rest = Data()
      while let data = handle?.availableData, !data.isEmpty {
        rest += data
        take(&rest, send)
      }
      if !rest.isEmpty { send.yield(String(decoding: rest, as: UTF8.self)) }
      send.finish()
    }
    return stream
  }
}

/// What a process is started with.
private struct Spawn: ~Copyable {
  private var actions = posix_spawn_file_actions_t()
  /// What is the process's, and is closed here once it has it.
  private var given: [Int32] = []

  init() {
    posix_spawn_file_actions_init(&actions)
  }

  deinit {
    var actions = actions
    posix_spawn_file_actions_destroy(&actions)
    for descriptor in given { close(descriptor) }
  }

  mutating func work(in folder: String) {
    child_work_in(&actions, folder)
  }

  mutating func noInput() -> FileHandle? {
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    return nil
  }

  mutating func input() throws -> FileHandle? {
    let (reading, writing) = try Self.pipe()
    posix_spawn_file_actions_adddup2(&actions, reading, 0)
    given.append(reading)
    return FileHandle(fileDescriptor: writing, closeOnDealloc: true)
  }

  mutating func send(_ stream: Int32, to sink: ChildProcess.Sink) throws -> FileHandle? {
    switch sink {
    case .kept:
      let (reading, writing) = try Self.pipe()
      posix_spawn_file_actions_adddup2(&actions, writing, stream)
      given.append(writing)
      return FileHandle(fileDescriptor: reading, closeOnDealloc: true)
    case .file(let path):
      posix_spawn_file_actions_addopen(&actions, stream, path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    case .dropped: posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0)
    case .withOutput: posix_spawn_file_actions_adddup2(&actions, 1, stream)
    case .inherited: break
    }
    return nil
  }

  mutating func start(_ words: [String], _ environment: [String: String]) throws -> Int32 {
    child_close_from(&actions, 3)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // The signals as a shell would leave them: tests run on threads that block some, and ignore others.
    var (none, all) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    posix_spawnattr_setflags(&attributes, Int16(flags))
    let arguments = words.map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, words[0], &actions, &attributes, arguments, variables)
    guard code == 0 else {
      throw ChildProcess.Failure(description: "\(words[0]) can't be started: \(String(cString: strerror(code)))")
    }
    return pid
  }

  /// A pipe that nobody inherits.
  private static func pipe() throws -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [0, 0]
    guard child_pipe(&ends) == 0 else {
      throw ChildProcess.Failure(description: "no pipe can be made: \(String(cString: strerror(errno)))")
    }
    return (ends[0], ends[1])
  }
}
