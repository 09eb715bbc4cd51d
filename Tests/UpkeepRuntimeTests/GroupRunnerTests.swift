import Foundation
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepRuntime
import UpkeepTestKit

@Suite struct GroupRunnerTests {
  let fixture = RunnerFixture()
  var groups: GroupRunner { GroupRunner(fixture.runner) }

  static let failing = RunnableTask.fake("second") { _ in
    throw TaskError(code: "no_table", place: "table a", problem: "gone", fix: "create it")
  }

  @Test func membersRunInOrderAndShareTheGroupsRunID() async throws {
    let result = await groups.run(GroupRequest(group: "cleanup", tasks: [.fake("first"), .fake("second")]))
    #expect(result.status == .completed)
    #expect(result.results.map(\.task) == ["first", "second"])
    #expect(RunID.isValid(result.runID))
    for member in result.results {
      #expect(try await fixture.store.record(member.runID)?.groupRunID == result.runID)
    }
  }

  @Test func aMemberThatFailsDoesNotKeepTheNextFromRunning() async {
    let result = await groups.run(
      GroupRequest(group: "cleanup", tasks: [.fake("first"), Self.failing, .fake("third")]))
    #expect(result.status == .completedWithErrors)
    #expect(result.results.map(\.status) == [.completed, .failed, .completed])
  }

  @Test(
    arguments: [
      ([.completed, .completed], RunStatus.completed), ([.completed, .failed], .completedWithErrors),
      ([.completed, .skipped], .completedWithErrors), ([.completedWithErrors], .completedWithErrors),
      ([.failed, .timedOut], .failed), ([.refused], .failed), ([], .completed),
    ] as [([RunStatus], RunStatus)])
  func theGroupsStatusFollowsItsMembers(_ members: [RunStatus], _ group: RunStatus) {
    #expect(GroupResult.status(of: members) == group)
  }

  @Test func aStopEndsTheRest() async {
    let stop = RunStop()
    let result = await groups.run(
      GroupRequest(
        group: "cleanup",
        tasks: [
          .fake("first"),
          .fake("second") { context in
            stop.request("stopped by SIGINT")
            try await context.clock.sleep(for: .seconds(86_400))
          },
          .fake("third") { $0.add("rows_deleted", 1) },
        ], stop: stop))
    #expect(result.status == .cancelled)
    #expect(result.results.map(\.status) == [.completed, .cancelled, .cancelled])
    #expect(result.results[2].startedAt == nil)
    #expect(result.results[2].reason == "stopped by SIGINT")
    #expect(result.results[2].counts.isEmpty)
  }

  @Test func theDocumentHasTheKeysOfTheContract() async throws {
    let result = await groups.run(GroupRequest(group: "cleanup", tasks: [.fake("first")]))
    let data = try JSONEncoder().encode(result)
    let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(
      Set(document.keys) == ["schema_version", "group", "status", "started_at", "finished_at", "results", "warnings"])
  }
}
