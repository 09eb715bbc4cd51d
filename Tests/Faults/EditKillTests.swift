import Foundation
import Testing
import UpkeepTestKit

/// Kills edits of the YAML at any moment: the file is the old one or the new one.
@Suite struct EditKillTests {
  /// A long file, so that reading and writing it take a while.
  private static func yaml(_ interval: String) -> String {
    let remarks = (0..<1000).map { "    # line \($0): nothing but a remark, ünïcödé included ☃\n" }.joined()
    return "tasks:\n  nap:\n    plugin: noop\n    interval: \(interval)\n\(remarks)    timeout: 5m\n"
  }

  @Test func leavesAWholeFile() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("upkeep.yaml")
    let temporary = folder.file(".upkeep.yaml.upkeep-edit")
    let texts = ["1h", "2h"].map { Data(Self.yaml($0).utf8) }
    try texts[0].write(to: URL(fileURLWithPath: path))
    let random = SeededRandom(seed: 7)
    var (present, killed, kept, midWrite) = (0, 0, 0, 0)
    let clock = ContinuousClock()
    let begin = clock.now
    #expect(try Program.run(["set", "nap", "interval", "2h", "--config", path]).status == 0)
    let duration = Int((clock.now - begin) / .microseconds(1))
    present = 1
    let rounds = Soak.isOn ? 200 : 24
    for round in 0..<rounds {
      let value = ["1h", "2h"][1 - present]
      // Half of them at any moment, half as soon as the new file begins to be written.
      let isMidWrite = round % 2 == 1
      if isMidWrite { unlink(temporary) }
      let child = try Program.start(["set", "nap", "interval", value, "--config", path])
      if isMidWrite {
        while access(temporary, F_OK) != 0, !child.waitForEnd(.zero) {}
      } else {
        _ = child.waitForEnd(.microseconds(random.below(duration)))
      }
      child.kill()
      if try child.end().status == 128 + SIGKILL { killed += 1 }
      if isMidWrite, access(temporary, F_OK) == 0 { midWrite += 1 }
      let found = try Data(contentsOf: URL(fileURLWithPath: path))
      let now = try #require(texts.firstIndex(of: found), "round \(round): neither file")
      if now == present { kept += 1 }
      present = now
    }
    #expect(killed > rounds / 3 && kept > 0 && midWrite > 0, "\(killed) killed, \(kept) kept, \(midWrite) mid-write")
    // Whatever was left over is in nobody's way.
    let value = ["1h", "2h"][1 - present]
    #expect(try Program.run(["set", "nap", "interval", value, "--config", path]).status == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == texts[1 - present])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["upkeep.yaml"])
  }
}
