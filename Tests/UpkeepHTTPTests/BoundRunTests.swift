import Testing
import UpkeepCore
import UpkeepRuns

import UpkeepTestKit

@testable import UpkeepHTTP

/// A run that is bound to the preview that somebody looked at.
@Suite struct BoundRunTests {
  private let host = FakeHost()

  private func preview(_ rows: Int, task: String = "odds_retention", mode: RunMode = .preview) async throws -> String {
    var result = host.result(task, .completed, mode: mode)
    result.tables = [TableResult(table: "a", deleted: rows)]
    try await host.store.save(RunRecord(result: result, owner: nil, createdAt: host.wallClock.now()))
    return result.runID
  }

  private func run(_ preview: String, now rows: Int) async throws -> Answer {
    host.set { state in
      state.finishing = { $0.tables = [TableResult(table: "a", deleted: rows)] }
    }
    return try await host.site().ask(
      "POST", "/api/v1/tasks/odds_retention/run?wait=true", #"{"preview": "\#(preview)"}"#)
  }

  @Test(arguments: [(100, 100), (100, 110), (100, 90), (0, 0), (1_000_000, 1_100_000)])
  func runsWhereTheDataIsAboutTheSame(_ then: Int, _ now: Int) async throws {
    let answer = try await run(try await preview(then), now: now)
    #expect(answer.status == 200 && answer.document["mode"] == "run")
    #expect(host.seen.starts.map(\.mode) == [.preview, .run])
  }

  @Test(arguments: [(100, 111), (100, 89), (0, 1), (1, 0), (1_000_000, 1_100_001)])
  func asksAgainWhereItMoved(_ then: Int, _ now: Int) async throws {
    let answer = try await run(try await preview(then), now: now)
    #expect(answer.status == 409 && answer.code == "moved")
    #expect(
      answer.document["detail"]
        == .string(
          "the data moved since the preview: a \(NumberText.grouped(then)) then, \(NumberText.grouped(now)) now; "
            + "look at the new preview and run that one"))
    guard case .object(let preview)? = answer.document["preview"] else {
      Issue.record("\(answer.text)")
      return
    }
    #expect(preview["run_id"] == answer.document["run_id"] && preview["mode"] == "preview")
    #expect(host.seen.starts.map(\.mode) == [.preview])
  }

  @Test func looksAtEachTableAndNotOnlyAtAllOfThem() async throws {
    var agreed = host.result("odds_retention", .completed, mode: .preview)
    agreed.tables = [TableResult(table: "a", deleted: 5000), TableResult(table: "b", deleted: 100)]
    try await host.store.save(RunRecord(result: agreed, owner: nil, createdAt: host.wallClock.now()))
    host.set { state in
      state.finishing = {
        $0.tables = [
          TableResult(table: "a", deleted: 4990), TableResult(table: "b", deleted: 111),
          TableResult(table: "c", deleted: 1),
        ]
      }
    }
    let answer = try await host.site().ask(
      "POST", "/api/v1/tasks/odds_retention/run", #"{"preview": "\#(agreed.runID)"}"#)
    #expect(answer.status == 409 && answer.code == "moved")
    #expect(
      answer.document["detail"]
        == .string(
          "the data moved since the preview: b 100 then, 111 now (and 1 more); look at the new preview and run that one"
        ))
  }

  @Test func wantsAFinishedPreviewOfTheSameTask() async throws {
    let others = [
      "01M7XY2W6P2NBJ71JT0T71F6M4", try await preview(3, task: "heartbeat"), try await preview(3, mode: .run),
    ]
    for other in others {
      #expect(try await run(other, now: 3).code == "no_such_preview")
    }
    #expect(host.seen.starts.isEmpty)
  }
}
