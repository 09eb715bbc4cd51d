import UpkeepPurge
import DatabaseFixture
import Foundation
import PostgresCluster
import ScrapingPlugin
import Synchronization
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepFetch
import UpkeepTestKit

/// The odds application's empty database, and platforms on the loopback interface.
final class ScrapeFixture: DatabaseResources, FetchResources {
  static let now = ManualWallClock.noon

  let database: any Database
  let fetcher: any Fetcher
  private let impatience = Impatience()
  let circuits = CircuitBoard()
  private let folder: TemporaryFolder?

  private init(_ database: any Database, _ folder: TemporaryFolder?) {
    self.database = database
    self.folder = folder
    fetcher = LoopbackFetcher(
      HTTPFetcher(clock: ContinuousClock()), impatient: HTTPFetcher(clock: InstantClock()), impatience)
  }

  /// Lets the time of each request to an address that contains a text be over at once: what a platform that doesn't
  /// answer leads to, without waiting for it.
  func giveNoTime(to part: String) {
    impatience.part.withLock { $0 = part }
  }

  /// Makes the application's tables: a file's, or a server's.
  static func make(_ engine: DatabaseEngine, without tables: [String] = []) async throws -> ScrapeFixture {
    func isWanted(_ statement: String) -> Bool { !tables.contains { statement.contains(" \($0)(") } }
    switch engine {
    case .sqlite:
      let folder = try TemporaryFolder()
      let database = SQLiteDatabase(name: "odds", path: folder.path + "/odds.sqlite", mayCreate: true)
      let fixture = ScrapeFixture(database, folder)
      try await fixture.execute(["PRAGMA journal_mode = WAL"] + OddsSchema.statements.filter(isWanted))
      return fixture
    case .postgres:
      let folder = try TemporaryFolder()
      let sample = SQLiteDatabase(name: "sample", path: folder.path + "/sample.sqlite", mayCreate: true)
      let empty = ScrapeFixture(sample, folder)
      try await empty.execute(OddsSchema.statements)
      let database = try await PostgresCluster.shared().makeDatabase()
      try await ServerSample.odds(now: now).copy(sample.path, to: database)
      let fixture = ScrapeFixture(database, nil)
      for table in tables { try await fixture.execute(["DROP TABLE \(table) CASCADE"]) }
      return fixture
    }
  }

  func database(named name: String) throws -> any Database { database }

  func execute(_ statements: [String]) async throws {
    try await database.execute(statements)
  }

  func rows(_ sql: String) async throws -> [[DatabaseValue]] {
    try await database.rows(sql)
  }

  func count(_ table: String, where condition: String = "1 = 1") async throws -> Int64 {
    try await rows("SELECT count(*) FROM \(table) WHERE \(condition)").first?[0].integer ?? -1
  }

  /// Every value of some tables.
  func contents(_ tables: [String]) async throws -> [String: [[DatabaseValue]]] {
    var contents: [String: [[DatabaseValue]]] = [:]
    for table in tables { contents[table] = try await rows("SELECT * FROM \(table) ORDER BY id") }
    return contents
  }

  /// Settings that lead to a stand-in server.
  func settings(_ server: StandInPlatforms) -> ScrapingSettings {
    var settings = ScrapingSettings()
    settings.database = DatabaseName("odds")
    for name in StandInPlatforms.names {
      settings.platforms[name].baseURL = server.url(name)
      settings.platforms[name].delay = .zero
    }
    return settings
  }

  func context(_ mode: RunMode, now: Timestamp = ScrapeFixture.now) -> TaskContext {
    .test(task: "scraping", mode: mode, now: now, clock: InstantClock(), resources: self)
  }

  /// Scrapes, and gives what the run said; the error where it failed as a whole.
  func scrape(
    _ settings: ScrapingSettings, now: Timestamp = ScrapeFixture.now
  ) async -> (contents: RunJournal.Contents, error: (any Error)?) {
    let context = context(.run, now: now)
    do {
      try await ScrapingTask().run(settings, in: context)
      return (context.journal.current, nil)
    } catch {
      return (context.journal.current, error)
    }
  }
}

/// Asks nobody but this machine: a test that would ask somebody else fails.
struct LoopbackFetcher: Fetcher {
  private let inner: any Fetcher
  private let impatient: any Fetcher
  private let impatience: Impatience

  fileprivate init(_ inner: any Fetcher, impatient: any Fetcher, _ impatience: Impatience) {
    self.inner = inner
    self.impatient = impatient
    self.impatience = impatience
  }

  func fetch(_ request: FetchRequest) async throws -> FetchResponse {
    guard URLComponents(string: request.url)?.host == "127.0.0.1" else {
      throw TaskError(code: "outside", place: request.label, problem: "an outside address", fix: "ask this machine")
    }
    let part = impatience.part.withLock { $0 }
    return try await (part.map { request.url.contains($0) } ?? false ? impatient : inner).fetch(request)
  }

  func keepingConnections<Value: Sendable>(
    _ body: @Sendable (any Fetcher) async throws -> Value
  ) async throws -> Value {
    try await inner.keepingConnections { inner in
      try await impatient.keepingConnections { impatient in
        try await body(LoopbackFetcher(inner, impatient: impatient, impatience))
      }
    }
  }
}

/// Which requests have no time at all.
private final class Impatience: Sendable {
  let part = Mutex<String?>(nil)
}
