import Foundation
import Testing
import UpkeepTestKit

/// What judges units.
enum SystemdTool {
  static let path = "/usr/bin/systemd-analyze"
  /// Whether it is there: `.ci/run` installs it.
  static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }
}

/// The systemd unit, judged by systemd's own tools.
@Suite(.enabled(if: SystemdTool.isInstalled, "needs systemd-analyze"), .timeLimit(.minutes(2)))
struct ServiceUnitTests {
  /// The unit in a folder of its own, with the program where it is here.
  private func unit(_ change: (String) -> String = { $0 }) throws -> Workplace {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appending(path: "config/upkeep.service"), encoding: .utf8)
    try #require(text.contains("ExecStart=/usr/local/bin/upkeep "))
    let place = try Workplace()
    try place.write(
      change(text.replacing("ExecStart=/usr/local/bin/upkeep ", with: "ExecStart=\(Program.path) ")),
      to: "upkeep.service")
    return place
  }

  private func analyze(_ arguments: String..., unit place: Workplace) async throws -> (status: Int32, text: String) {
    let tool = try ChildProcess(
      SystemdTool.path, arguments + ["--no-pager", place.path("upkeep.service")], errors: .withOutput)
    let text = await tool.output.text()
    return (await tool.status(), text)
  }

  @Test func isValid() async throws {
    let (status, text) = try await analyze("verify", "--man=no", unit: try unit())
    #expect(status == 0 && text.isEmpty, "\(text)")
    let broken = try unit { $0.replacing("WatchdogSec=60s", with: "WatchdogSecs=60s") }
    #expect(try await analyze("verify", "--man=no", unit: broken).text.contains("WatchdogSecs"))
  }

  /// The exposure that systemd finds goes from 0 to 10; its limit is given in tenths.
  @Test func isHardened() async throws {
    let (status, text) = try await analyze("security", "--offline=true", "--threshold=20", unit: try unit())
    #expect(status == 0, "\(text)")
    let open = try unit { $0.replacing("CapabilityBoundingSet=\n", with: "").replacing("SystemCallFilter", with: "#") }
    #expect(try await analyze("security", "--offline=true", "--threshold=20", unit: open).status != 0)
  }
}
