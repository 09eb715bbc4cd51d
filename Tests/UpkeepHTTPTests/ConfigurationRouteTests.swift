import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepHTTP

/// The YAML over HTTP.
@Suite struct ConfigurationRouteTests {
  private let host = FakeHost()
  private var site: Site { host.site() }

  @Test func theConfigurationIsShownWithItsHash() async throws {
    let answer = try await site.ask("GET", "/api/v1/config")
    #expect(answer.response.header("ETag") == "\"abc1\"")
    #expect(answer.document["yaml"] == "version: 1\n" && answer.document["errors"] == .array([]))
    let again = try await site.ask("GET", "/api/v1/config", headers: ["if-none-match": "\"abc1\""])
    #expect(again.status == 304 && again.response.body.isEmpty)
  }

  @Test func valuesBecomeEdits() async throws {
    let body =
      #"{"enabled": false, "interval": "12h", "settings": {"odds_keep": "7d", "limits": {"sync": 5}, "note": "a: b"}}"#
    let answer = try await site.ask("PATCH", "/api/v1/tasks/odds_retention", body, headers: ["if-match": "\"abc1\""])
    #expect(answer.status == 200)
    #expect(answer.response.header("ETag") == "\"abc2\"")
    let edits = host.seen.edits
    #expect(edits.map(\.key) == ["enabled", "interval", "settings.limits.sync", "settings.note", "settings.odds_keep"])
    #expect(edits.map(\.value) == ["false", "12h", "5", "\"a: b\"", "7d"])
  }

  @Test func aChangeNeedsTheFileItIsMeantFor() async throws {
    let body = #"{"enabled": false}"#
    let without = try await site.ask("PATCH", "/api/v1/tasks/odds_retention", body)
    #expect(without.status == 428 && host.seen.edits.isEmpty)
    let other = try await site.ask("PATCH", "/api/v1/tasks/odds_retention", body, headers: ["if-match": "\"zzz\""])
    #expect(other.status == 412 && other.code == "changed_meanwhile")
  }

  @Test(arguments: [
    (EditRefusal.overridden(task: "t", key: "interval", variables: ["UPKEEP_X"]), 409, "overridden"),
    (.notTunable(task: "t", key: "settings.database"), 403, "not_tunable"),
    (.unsupported(task: "t", key: "interval", reason: "it is shared"), 409, "unsupported"),
    (.invalid([Diagnostic(code: "bad_duration", "no unit")], lines: []), 422, "invalid"),
  ])
  func refusalsSayWhy(_ refusal: EditRefusal, _ status: Int, _ code: String) async throws {
    host.set { $0.editRefusal = refusal }
    let answer = try await site.ask(
      "PATCH", "/api/v1/tasks/odds_retention", #"{"interval": "1h"}"#, headers: ["if-match": "\"abc1\""])
    #expect(answer.status == status && answer.code == code)
  }

  @Test func aFileThatIsNotValidIsNamedWithItsPlace() async throws {
    let place = ValueOrigin.file(
      path: "upkeep.yaml",
      range: SourceRange(start: SourcePosition(line: 6, column: 5), end: SourcePosition(line: 6, column: 14)))
    let problem = Diagnostic(code: "unknown_key", "unknown key intervall; did you mean interval?", at: place)
    host.set { $0.editRefusal = .invalidFile(path: "upkeep.yaml", [problem, problem], lines: []) }
    let answer = try await site.ask(
      "PATCH", "/api/v1/tasks/odds_retention", #"{"interval": "1h"}"#, headers: ["if-match": "\"abc1\""])
    #expect(answer.status == 409 && answer.code == "invalid_file")
    #expect(
      answer.document["detail"]
        == .string(
          "upkeep.yaml isn't valid as it stands, so nothing was changed: line 6, column 5: unknown key intervall; "
            + "did you mean interval? (and 1 more); mend the file first, and repeat"))
    let error: JSONValue = .object([
      "severity": "error", "code": "unknown_key", "message": "unknown key intervall; did you mean interval?",
      "line": .integer(6), "column": .integer(5),
    ])
    #expect(answer.document["errors"] == .array([error, error]))
  }

  @Test(arguments: [
    "", "{}", "[1]", #"{"plugin": "noop"}"#, #"{"settings": {"statuses": ["a"]}}"#, #"{"cron": "@daily"}"#,
  ])
  func onlyKnownValuesAreTaken(_ body: String) async throws {
    let answer = try await site.ask(
      "PATCH", "/api/v1/tasks/odds_retention", body, headers: ["if-match": "\"abc1\""])
    #expect(answer.status == 400)
    #expect(host.seen.edits.isEmpty)
  }

  @Test func theFiguresAreText() async throws {
    var result = host.result("heartbeat", .completed)
    result.durationMilliseconds = 700
    result.finishedAt = host.wallClock.now()
    result.tables = [TableResult(table: "a", deleted: 30), TableResult(table: "b", deleted: 12)]
    result.details = [.object(["kind": "database", "longest_hold_ms": .number(22.5)])]
    host.metrics.record(.finished(result))
    var other = host.result("gone", .completed)
    other.mode = .run
    host.metrics.record(.finished(other))
    host.metrics.record(.finished(host.result("heartbeat", .completed, mode: .preview)))
    var missed = host.result("heartbeat", .missed)
    missed.startedAt = nil
    missed.reason = "the slot passed longer ago than its grace of 1h"
    host.metrics.record(.finished(missed))
    var late = host.result("heartbeat", .running)
    late.scheduledAt = host.wallClock.now() - .milliseconds(40)
    host.metrics.record(.started(late))
    let answer = try await site.ask("GET", "/metrics")
    #expect(answer.response.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
    let lines = answer.text.split(separator: "\n")
    for line in [
      #"upkeep_task_runs_total{task="heartbeat",status="completed"} 1"#,
      #"upkeep_task_runs_total{task="odds_retention",status="completed"} 0"#,
      #"upkeep_task_run_duration_seconds_bucket{task="heartbeat",le="0.5"} 0"#,
      #"upkeep_task_run_duration_seconds_bucket{task="heartbeat",le="1.0"} 1"#,
      #"upkeep_task_run_duration_seconds_bucket{task="heartbeat",le="+Inf"} 1"#,
      #"upkeep_task_run_duration_seconds_sum{task="heartbeat"} 0.7"#,
      #"upkeep_task_last_success_timestamp_seconds{task="heartbeat"} 1764000000.0"#,
      #"upkeep_task_next_run_timestamp_seconds{task="heartbeat"} 1764000060.0"#,
      #"upkeep_task_running{task="heartbeat"} 0"#, #"upkeep_task_enabled{task="heartbeat"} 1"#,
      #"upkeep_task_missed_total{task="heartbeat",reason="grace"} 1"#,
      #"upkeep_task_missed_total{task="heartbeat",reason="skip"} 0"#,
      #"upkeep_task_rows_deleted_total{task="heartbeat"} 42"#, #"upkeep_task_bytes_freed_total{task="heartbeat"} 0"#,
      #"upkeep_task_longest_hold_seconds{task="heartbeat"} 0.0225"#, "upkeep_schedule_lag_seconds 0.04",
      "upkeep_config_last_reload_successful 1", "upkeep_config_last_reload_timestamp_seconds 1764000000.0",
      "upkeep_build_info{version=\"\(Upkeep.version)\"} 1",
    ] {
      #expect(lines.contains(Substring(line)), "\(line)")
    }
    // A task that isn't configured has no label.
    #expect(!answer.text.contains("gone"))
    #expect(lines.allSatisfy { $0.hasPrefix("# ") || $0.hasPrefix("upkeep_") })
  }
}
