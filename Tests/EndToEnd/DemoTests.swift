import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo

/// The demo, and what can be done with it afterwards.
@Suite struct DemoTests {
  /// A demo whose data is made but untouched.
  private func untouched() async throws -> Workplace {
    let place = try Workplace()
    let outcome = try await Program.run(["demo", "demo", "--scale", "0.02", "--only"], in: place.folder)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return place
  }

  private func run(_ place: Workplace, _ arguments: String...) async throws -> Program.Outcome {
    try await place.start(arguments, environment: ["UPKEEP_CONFIG": "demo/upkeep.yaml"]).outcome()
  }

  private func table(_ name: String, in document: [String: Any]) throws -> [String: Any] {
    let tables = try #require(document["tables"] as? [[String: Any]])
    return try #require(tables.first { $0["table"] as? String == name })
  }

  @Test func previewsAndRunsEverythingAndSaysWhatToTryNext() async throws {
    let place = try Workplace()
    let outcome = try await Program.run(["demo", "demo", "--scale", "0.02"], in: place.folder)
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("odds_retention: preview completed in "))
    #expect(outcome.output.contains("odds_retention: completed in "))
    #expect(outcome.output.contains("the file doesn't shrink"))
    #expect(outcome.errors.contains("upkeep run odds_retention --config demo/upkeep.yaml --set odds_keep=7d"))
    let again = try await run(place, "run", "odds_retention")
    #expect(again.status == 0)
    #expect(again.output.hasPrefix("odds_retention: completed in "))
    #expect(again.errors.contains("odds_retention: nothing to delete"))
    let refused = try await run(place, "run", "odds_retention", "--set", "odds_keep=7d")
    #expect(refused.status == 2)
    #expect(refused.output.contains("the guard refused, nothing was deleted: more than 50 % of a table"))
    let overridden = try await run(place, "run", "odds_retention", "--set", "odds_keep=7d", "--override-guard")
    #expect(overridden.status == 0)
    #expect(overridden.output.contains("the guard was overridden"))
  }

  @Test func refusesAFolderThatIsNotEmpty() async throws {
    let place = try Workplace("mine")
    let outcome = try await Program.run(["demo", "."], in: place.folder)
    #expect(outcome.status == 64)
    #expect(outcome.errors == "error: . isn't empty; name a folder that is, or that doesn't exist\n")
    #expect(try place.bytes("upkeep.yaml") == Data("mine".utf8))
  }

  @Test(arguments: [("14d", "14d"), ("30d", "14d"), ("7d", "30d")])
  func previewsExactlyWhatTheRunDeletes(odds: String, matches: String) async throws {
    let place = try await untouched()
    let settings = ["--set", "odds_keep=\(odds)", "--set", "match_keep=\(matches)", "--override-guard", "--json"]
    let arguments = ["odds_retention"] + settings
    let environment = ["UPKEEP_CONFIG": "demo/upkeep.yaml"]
    let preview = try await place.start(["preview"] + arguments, environment: environment).outcome()
    let run = try await place.start(["run"] + arguments, environment: environment).outcome()
    #expect(preview.status == 0)
    #expect(run.status == 0)
    let (foreseen, done) = (try preview.json(), try run.json())
    let counts = try #require(done["counts"] as? [String: Int])
    #expect(try #require(foreseen["counts"] as? [String: Int]) == counts)
    #expect(counts["odds_deleted", default: 0] > 1000)
    let again = try await place.start(["run"] + arguments, environment: environment).outcome()
    let left = try #require(try again.json()["counts"] as? [String: Int])
    #expect(left.values.allSatisfy { $0 == 0 })
  }

  @Test func changesNoByteInAPreviewBesideAWriter() async throws {
    let place = try await untouched()
    let database = SQLiteDatabase(name: "odds", path: place.path("demo/data/odds.sqlite"))
    let session = try await database.open(.write(.normal), purpose: "application")
    try await session.transaction(.write) { connection in
      _ = try connection.execute("UPDATE tournaments SET name = name || '!'")
    }
    let before = [try place.bytes("demo/data/odds.sqlite"), try place.bytes("demo/data/odds.sqlite-wal")]
    #expect(!before[1].isEmpty)
    let preview = try await run(place, "preview", "odds_retention", "--json")
    #expect(preview.status == 0)
    #expect([try place.bytes("demo/data/odds.sqlite"), try place.bytes("demo/data/odds.sqlite-wal")] == before)
    await session.close()
  }

  @Test func saysInAPreviewThatTheGuardWouldRefuse() async throws {
    let place = try await untouched()
    let preview = try await run(place, "preview", "odds_retention", "--set", "odds_keep=1d", "--json")
    #expect(preview.status == 0)
    let verdict = try #require(try preview.json()["guard"] as? [String: Any])
    #expect(verdict["would_refuse"] as? Bool == true)
  }

  @Test func isThreeWhereAStepFailsAndTheOthersGoOn() async throws {
    let place = try await untouched()
    let database = SQLiteDatabase(name: "odds", path: place.path("demo/data/odds.sqlite"))
    let session = try await database.open(.write(.normal), purpose: "application")
    try await session.perform { connection in
      _ = try connection.execute(
        """
        CREATE TRIGGER keep BEFORE DELETE ON market_odds_history BEGIN SELECT RAISE(ABORT, 'history is sacred'); END
        """)
    }
    await session.close()
    let outcome = try await run(place, "run", "odds_retention", "--json")
    #expect(outcome.status == 3)
    let document = try outcome.json()
    #expect(document["status"] as? String == "completed_with_errors")
    let errors = try #require(document["errors"] as? [[String: Any]])
    #expect(errors.count == 1)
    #expect((errors.first?["message"] as? String)?.contains("history is sacred") == true)
    let counts = try #require(document["counts"] as? [String: Int])
    #expect(counts["odds_deleted", default: 0] > 1000)
    #expect(counts["market_odds_history_deleted", default: 0] == 0)
  }

  @Test func saysBeforeARunInALogWhatWillGo() async throws {
    let place = try await untouched()
    let outcome = try await run(place, "run", "odds_retention")
    #expect(outcome.status == 0)
    let lines = outcome.errors.split(separator: "\n").map(String.init)
    #expect(lines.first?.hasPrefix("odds_retention: run 01") == true)
    #expect(lines.contains { $0.hasSuffix(" rows will go") })
    #expect(lines.contains { $0.hasPrefix("  market_odds ") })
  }

  @Test func saysNothingWhenItIsToBeQuiet() async throws {
    let place = try await untouched()
    let outcome = try await run(place, "run", "odds_retention", "--quiet")
    #expect(outcome.status == 0)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.isEmpty)
  }

  @Test func checksTheDatabasesLive() async throws {
    let place = try await untouched()
    let outcome = try await run(place, "validate", "--live")
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("ok: database odds: opens, 19 tables, journal mode wal\n"))
    #expect(outcome.output.contains("has no index on scrape_run_id"))
    #expect(!FileManager.default.fileExists(atPath: place.path("demo/var/upkeep.sqlite")))
    try FileManager.default.removeItem(atPath: place.path("demo/data/odds.sqlite"))
    let missing = try await run(place, "validate", "--live")
    #expect(missing.status == 1)
    let path = place.path("demo/data/odds.sqlite")
    #expect(missing.output.contains("error: database odds (\(path)): there is no such file"))
    // The file itself is right, and nobody is to take that for more than it says.
    #expect(missing.output.contains("demo/upkeep.yaml: valid, but 2 errors in what it names\n"), "\(missing.output)")
  }

  @Test func countsWhatItWatchesOver() async throws {
    let place = try await untouched()
    let document = try await run(place, "stats", "odds_retention", "--json").json()
    let items = try #require(document["items"] as? [[String: Any]])
    let snapshots = try #require(items.first { $0["name"] as? String == "odds_snapshots" })
    #expect(snapshots["count"] as? Int == 4000)
  }
}
