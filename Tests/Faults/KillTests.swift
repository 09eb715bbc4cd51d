import Foundation
import Testing
import UpkeepCore
import UpkeepTestKit

/// The program is killed at any moment of its run, while another process writes.
@Suite struct KillTests {
  private static let killsPerDatabase = 2

  @Test func losesNothingWheneverItIsKilled() async throws {
    let site = try await KillSite(snapshots: 1200)
    let random = SeededRandom(seed: 20)
    try await site.renew()
    #expect(try await site.finish() == [])
    // How long a run takes changes with what else the machine does, so kills that come too late make the next earlier.
    var length = Int(site.duration / .milliseconds(1))
    var midway = 0
    let kills = Soak.isOn ? 1000 : 50
    for kill in 1...kills {
      if (kill - 1) % Self.killsPerDatabase == 0 { try await site.renew() }
      let moment = random.below(length)
      let hit = try await site.runAndKill(after: .milliseconds(moment))
      midway += hit ? 1 : 0
      length = max(50, hit ? length * 21 / 20 : length * 17 / 20)
      let faults = try await site.faults()
      #expect(faults == [], "kill \(kill), after \(moment) ms")
      if kill % Self.killsPerDatabase == 0 || kill == kills {
        let rest = try await site.finish()
        #expect(rest == [], "kill \(kill)")
      }
    }
    // Where most kills come too late, the test tests nothing.
    #expect(midway > kills / 3)
    #expect(site.interrupted > kills / 10)
  }
}
