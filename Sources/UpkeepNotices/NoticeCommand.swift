import Foundation
import Subprocess
import SystemPackage
import UpkeepCore

/// Starts a program of the user's: its arguments go to it as they are, without a shell.
struct NoticeCommand {
  /// How long it may take.
  static let timeout = Duration.seconds(30)
  /// How long it and what it started have to end once they are told to.
  static let grace = Duration.seconds(2)
  /// What it is not to know.
  private static let hidden: [Environment.Key: String?] = [
    "UPKEEP_TOKEN": nil, "NOTIFY_SOCKET": nil, "WATCHDOG_USEC": nil, "WATCHDOG_PID": nil,
  ]

  /// A program that ends without reading its input must not end the host: the write fails instead.
  private static let ignoresBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

  let words: [String]
  let folder: String
  let clock: any Clock<Duration>

  /// Runs the program to its end, with a document on its standard input. Its output is dropped.
  /// - Throws: ``UpkeepCore/TaskError`` where it can't be started, fails or takes too long; then it is ended, with all
  ///   that it started.
  func run(input: [UInt8], variables: [String: String]) async throws {
    guard let program = words.first else { return }
    Self.ignoresBrokenPipes
    let status: TerminationStatus
    do {
      status = try await limited { try await start(program, input, variables) }
    } catch let error as SubprocessError {
      throw failure("it can't be started: \(error)", "check the program's name and its permissions")
    }
    switch status {
    case .exited(0): return
    case .exited(let code):
      throw failure("it ended with status \(code)", "run it by hand to see why: what it prints isn't kept")
    case .signaled(let number): throw failure("signal \(number) ended it", "see to what it does")
    }
  }

  private func start(
    _ program: String, _ input: [UInt8], _ variables: [String: String]
  ) async throws -> TerminationStatus {
    var options = PlatformOptions()
    // A session of its own, so that what it starts can be ended with it.
    options.createSession = true
    options.teardownSequence = [
      .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: Self.grace),
      .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero),
    ]
    let path = program.hasPrefix("/") ? program : "\(folder)/\(program)"
    let environment = variables.map { (Environment.Key(stringLiteral: $0), Optional($1)) }
    let result = try await Subprocess.run(
      program.contains("/") ? .path(FilePath(path)) : .name(program), arguments: Arguments(Array(words.dropFirst())),
      environment: .inherit.updating(Self.hidden.merging(environment) { $1 }), workingDirectory: FilePath(folder),
      platformOptions: options, input: .inputWriter, output: .discarded, error: .discarded
    ) { execution in
      // A program that doesn't read its input is no failure.
      _ = try? await execution.standardInputWriter.write(input)
      try? await execution.standardInputWriter.finish()
    }
    return result.terminationStatus
  }

  private func limited<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await clock.sleep(for: Self.timeout)
        return nil
      }
      defer { group.cancelAll() }
      guard let first = try await group.next(), let value = first else {
        throw failure(
          "it took longer than \(Self.timeout.durationText) and was ended", "let it do less, or in the background")
      }
      return value
    }
  }

  private func failure(_ problem: String, _ fix: String) -> TaskError {
    TaskError(code: "notice_failed", place: "command \(words.first ?? "")", problem: problem, fix: fix)
  }
}
