import Foundation
import Testing
import UpkeepTestKit

/// The benchmarks that the README names run, and hold every contender to the same result.
@Suite(.serialized) struct BenchmarkTests {
  /// A benchmark at its smallest.
  struct Benchmark: CustomTestStringConvertible {
    /// The script and its arguments.
    var words: [String]
    /// How the row of the program begins.
    var row = "| upkeep |"
    /// A value in the environment with which the program does something else than it should.
    var fault: String
    /// What is said about that.
    var complaint: String

    var testDescription: String { words.joined(separator: " ") }

    static let all = [
      Benchmark(
        words: ["purge.py", "--snapshots", "2000", "--orders", "drift"], row: "| drift | upkeep |",
        fault: "ODDS_RETENTION__SETTINGS__ODDS_KEEP=16d", complaint: "odds_snapshots: 0 rows too few, "),
      Benchmark(
        words: ["purge.py", "--engine", "postgres", "--snapshots", "2000", "--orders", "drift"],
        row: "| drift | upkeep |", fault: "ODDS_RETENTION__SETTINGS__ODDS_KEEP=12d", complaint: " rows instead of 812"),
      Benchmark(
        words: ["jobs.py", "--jobs", "1000"], fault: "JOB_HISTORY__SETTINGS__KEEP=20d",
        complaint: " rows too few, 0 too many"),
      Benchmark(
        words: ["tus.py", "--uploads", "50"], fault: "TUS_EXPIRY__SETTINGS__SLACK=5d",
        complaint: "0 files too few, 100 too many, 0 changed"),
      Benchmark(
        words: ["serve.py", "--parts", "late", "--tasks", "10", "--lead", "4", "--patience", "4"],
        fault: "T0__ENABLED=false", complaint: "9 of 10 tasks began"),
      Benchmark(
        words: ["scrape.py", "--matches", "10"], fault: "SCRAPING__SETTINGS__MAX_EVENTS=5",
        complaint: "stored {'events': 5, "),
    ]
  }

  @Test(arguments: Benchmark.all)
  func hasFiguresForARightResult(_ benchmark: Benchmark) async throws {
    let (status, text) = try await run(benchmark.words)
    #expect(status == 0, "\(text)")
    let cells = try cells(of: benchmark.row, in: text)
    #expect(cells.count >= 3)
    #expect(cells.allSatisfy { $0.contains(/^ [0-9.,]+ $/) }, "\(text)")
  }

  @Test(arguments: Benchmark.all)
  func hasNoneForAWrongOne(_ benchmark: Benchmark) async throws {
    let (status, text) = try await run(benchmark.words, fault: benchmark.fault)
    #expect(status == 1, "\(text)")
    let cells = try cells(of: benchmark.row, in: text)
    #expect(cells.count == 1)
    #expect(cells[0].contains(benchmark.complaint), "\(text)")
  }

  @Test func leavesTheSameRowsWhereTheyLieScattered() async throws {
    let (status, text) = try await run(["purge.py", "--snapshots", "3000", "--orders", "scattered"])
    #expect(status == 0, "\(text)")
    #expect(text.contains("| scattered | upkeep |"))
  }

  @Test func watchesAServerAtRestAndAsksIt() async throws {
    let (status, text) = try await run([
      "serve.py", "--parts", "rest", "--seconds", "1", "--starts", "1", "--requests", "20",
    ])
    #expect(status == 0, "\(text)")
    for row in ["| upkeep |", "| `/healthz` | upkeep |", "| `/api/v1/tasks` | upkeep |"] {
      #expect(try cells(of: row, in: text).allSatisfy { $0.contains(/^ [0-9.,]+ $/) })
    }
  }

  @Test func printsTheTablesTogether() async throws {
    let (status, text) = try await run(["all.py", "--quick", "--only", "jobs.py"])
    #expect(status == 0, "\(text)")
    #expect(text.hasPrefix("Measured on "))
    #expect(text.contains("\n**A job queue cleaned up, 3,000 jobs and as many downloads, on SQLite**\n"))
    #expect(text.contains("\n| upkeep |"))
  }

  /// What stands in a row behind its beginning.
  private func cells(of row: String, in text: String) throws -> [Substring] {
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(row) }, "\(text)")
    return line.dropFirst(row.count).split(separator: "|")
  }

  /// Runs a script to its end, and returns its exit status and what it printed.
  private func run(_ words: [String], fault: String? = nil) async throws -> (status: Int32, text: String) {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Benchmarks").appending(path: words[0])
    var environment = Program.environment
    if let parts = fault?.split(separator: "=") { environment["UPKEEP_TASKS__\(parts[0])"] = String(parts[1]) }
    let arguments = words.dropFirst() + ["--no-peers", "--repetitions", "1", "--upkeep", Program.path]
    let benchmark = try ChildProcess(
      "python3", [script.path] + arguments, environment: environment, errors: .dropped)
    let text = await benchmark.output.text()
    return (await benchmark.status(), text)
  }
}
