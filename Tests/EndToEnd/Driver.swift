import Foundation
import Synchronization

/// A chromedriver with all that it starts. It ignores SIGTERM, and its browser is in a process group of its own, so both
/// are found again by what is theirs alone, the profile's folder, and killed.
final class Driver: Sendable {
  /// The folder of the browser's profile.
  let profile: String
  private let pid: Int32
  private let output: AsyncStream<String>
  private let ended: AsyncStream<Void>

  init(profile: String) throws {
    self.profile = profile
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Browser.driver)
    process.arguments = ["--port=0"]
    process.environment = Program.environment.merging(["TMPDIR": (profile as NSString).deletingLastPathComponent]) {
      $1
    }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    process.terminationHandler = { _ in end.finish() }
    try process.run()
    pid = process.processIdentifier
    self.ended = ended
    let (output, send) = AsyncStream.makeStream(of: String.self)
    self.output = output
    // To its end, so that the driver never has to wait for somebody to read.
    Thread.detachNewThread {
      while true {
        let data = pipe.fileHandleForReading.availableData
        if data.isEmpty { break }
        send.yield(String(decoding: data, as: UTF8.self))
      }
      send.finish()
    }
  }

  /// The port that it listens on: `ChromeDriver was started successfully on port 12345.`
  func port() async throws -> Int {
    var text = ""
    for await part in output {
      text += part
      if let found = text.firstMatch(of: /on port (\d+)\./), let port = Int(found.1) { return port }
    }
    throw Browser.Failure(description: "no driver: \(text)")
  }

  /// Kills the driver, whatever is in its process group, and the browser.
  func kill() {
    Foundation.kill(-pid, SIGKILL)
    for process in browsers { Foundation.kill(process, SIGKILL) }
  }

  /// Kills them, and waits until they are gone.
  func end() async {
    kill()
    for await _ in ended {}
    // What the browser started last may have come after the look.
    while !browsers.isEmpty {
      kill()
      await Task.yield()
    }
  }

  /// The processes of the browser: each is started with the profile's folder, and has no other name to be found by.
  private var browsers: [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    let wanted = Data("--user-data-dir=\(profile)\0".utf8)
    return names.compactMap { Int32($0) }.filter { process in
      FileManager.default.contents(atPath: "/proc/\(process)/cmdline")?.range(of: wanted) != nil
    }
  }
}
