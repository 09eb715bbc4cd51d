import Foundation
import UpkeepTestKit

/// A chromedriver with all that it starts. It ignores SIGTERM, and its browser is in a process group of its own, so both
/// are found again by what is theirs alone, the profile's folder, and killed.
final class Driver: Sendable {
  /// The folder of the browser's profile.
  let profile: String
  private let child: ChildProcess
  private let output: AsyncStream<String>

  init(profile: String) throws {
    self.profile = profile
    child = try ChildProcess(
      Browser.driver, ["--port=0"],
      environment: Program.environment.merging(["TMPDIR": (profile as NSString).deletingLastPathComponent]) { $1 },
      errors: .dropped)
    // To its end, so that the driver never has to wait for somebody to read.
    output = child.output.parts()
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
    Foundation.kill(-child.pid, SIGKILL)
    for process in browsers { Foundation.kill(process, SIGKILL) }
  }

  /// Kills them, and waits until they are gone.
  func end() async {
    kill()
    await child.status()
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
