import Foundation
import Testing
import UpkeepCore
import UpkeepDemo

/// The clean-up of a job queue as a group at the command line.
@Suite struct GroupTests {
  private static let yaml = """
    version: 1
    databases:
      stash: { sqlite: stash.sqlite }
    tasks:
      stale_jobs: { settings: { database: stash } }
      job_history: { settings: { database: stash } }
      download_log: { settings: { database: stash, table: "${LOG:-handled_downloads}" } }
      stuck_plans: { settings: { database: stash } }
    groups:
      cleanup: [stale_jobs, job_history, download_log, stuck_plans]
    """

  private func place() async throws -> Workplace {
    let place = try Workplace(Self.yaml)
    try await MediaSample.make(at: place.path("stash.sqlite"), now: SystemWallClock().now(), jobs: 1000, plans: 200)
    return place
  }

  private func setting(_ key: String, of task: String, in document: [String: Any]) throws -> Any? {
    let results = try #require(document["results"] as? [[String: Any]])
    let member = try #require(results.first { $0["task"] as? String == task })
    return (member["settings"] as? [String: Any])?[key]
  }

  @Test func reachesTheMembersThatHaveTheSetting() async throws {
    let place = try await place()
    let outcome = try await place.run("preview", "cleanup", "--json", "--set", "limits.sync=45m", "--set", "keep=7d")
    #expect(outcome.status == 0)
    let document = try outcome.json()
    let limits = try #require(try setting("limits", of: "stale_jobs", in: document) as? [String: String])
    #expect(limits["sync"] == "45m")
    #expect(limits["analysis"] == "1h")
    #expect(try setting("keep", of: "job_history", in: document) as? String == "7d")
    #expect(try setting("keep", of: "download_log", in: document) as? String == "7d")
    #expect(try setting("keep", of: "stuck_plans", in: document) == nil)
    #expect((document["warnings"] as? [String])?.count == 1)
  }

  @Test(arguments: [("keeps=7d", "keeps; did you mean keep?"), ("zzz.sync=7d", "zzz")])
  func saysThatNoMemberHasTheSetting(change: String, message: String) async throws {
    let place = try await place()
    let outcome = try await place.run("run", "cleanup", "--set", change)
    #expect(outcome.status == 4)
    #expect(
      outcome.errors
        == "--set \(change): error: none of stale_jobs, job_history, download_log, stuck_plans has a setting "
        + "\(message) [unknown_setting]\n")
    #expect(!FileManager.default.fileExists(atPath: place.path("upkeep.sqlite")))
  }

  @Test func isOneDocumentWithARecordForEachMember() async throws {
    let place = try await place()
    let outcome = try await place.run("run", "cleanup", "--json", "--quiet")
    #expect(outcome.status == 0)
    let document = try outcome.json()
    #expect(document["status"] as? String == "completed")
    #expect(try #require(document["cleaned_jobs"] as? Int) == 24)
    #expect(try #require(document["old_jobs_deleted"] as? Int) > 100)
    #expect((document["errors"] as? [Any])?.isEmpty == true)
    let history = try await place.run("history", "--json").json()
    #expect(
      (history["runs"] as? [[String: Any]])?.map { $0["task"] as? String } == [
        "stuck_plans", "download_log", "job_history", "stale_jobs",
      ])
  }

  @Test func goesOnWhereAMemberFails() async throws {
    let place = try await place()
    let outcome = try await place.start(["run", "cleanup", "--json"], environment: ["LOG": "nowhere"]).outcome()
    #expect(outcome.status == 1)
    let document = try outcome.json()
    #expect(document["status"] as? String == "completed_with_errors")
    #expect(document["old_downloads_deleted"] as? Int == 0)
    #expect(try #require(document["stuck_plans_updated"] as? Int) > 10)
    let errors = try #require(document["errors"] as? [[String: String]])
    #expect(
      errors == [
        [
          "step": "download_log",
          "message":
            "table nowhere: there is no such table in the database; check the database, or name another by the "
            + "setting table",
        ]
      ])
  }
}
