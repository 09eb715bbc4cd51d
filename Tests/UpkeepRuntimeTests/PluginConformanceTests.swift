import Testing
import UpkeepCore
import UpkeepTestKit

@Suite struct PluginConformanceTests {
  let plugin = Plugin("faulty_task", FaultyTask.self, FaultyTask.documentation)

  private func checks(_ fault: Fault, rows: Int = 12) async -> Set<String> {
    let conformance = PluginConformance(plugin, powers: [.preview, .delete]) {
      let rows = Rows(rows)
      return ConformanceFixture(
        settings: .test(.object(["fault": .string(fault.rawValue)])), resources: rows,
        digest: { "\(rows.all.sorted())" })
    }
    return Set(await conformance.failures().map(\.check))
  }

  @Test(
    arguments: [
      (.none, []),
      (.previewWrites, ["preview", "guard", "timeout"]),
      (.previewCountsLess, ["preview"]),
      (.leavesHalf, ["preview", "run", "cancel in the middle"]),
      (.countsTwice, ["preview"]),
      (.swallowsCancellation, ["cancel", "cancel in the middle"]),
      (.throwsAnotherError, ["cancel", "cancel in the middle", "timeout"]),
      (.saysNoTotal, ["guard"]),
    ] as [(Fault, Set<String>)])
  func findsEachFault(_ fault: Fault, _ checks: Set<String>) async {
    #expect(await self.checks(fault) == checks)
  }

  @Test func saysThatAFixtureWithNothingToDoChecksNothing() async {
    #expect(await checks(.none, rows: 0).contains("preview"))
  }

  @Test func findsPowersThatWereLost() async {
    let failures = await PluginConformance(plugin, powers: [.preview]) { ConformanceFixture(resources: Rows(3)) }
      .failures()
    #expect(
      failures.filter { $0.check == "powers" }.map(\.message) == [
        "expected [\"preview\"], found [\"delete\", \"preview\"]", "the guard isn't bound as expected",
      ])
  }

  @Test func findsBadSettingsThatAreTaken() async {
    let good = ConfigurationNode.test(.object(["fault": .string("none")]))
    let failures = await PluginConformance(plugin, powers: [.preview, .delete], badSettings: [good]) {
      let rows = Rows(4)
      return ConformanceFixture(resources: rows, digest: { "\(rows.all.sorted())" })
    }.failures()
    #expect(failures == [ConformanceFailure("settings", "expected fault: \"none\" to be refused")])
  }
}
