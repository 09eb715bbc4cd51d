import Foundation
import Synchronization
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepFetch
import UpkeepTestKit

@testable import ScrapingPlugin

/// The adapters, on answers as the platforms write them.
@Suite struct AdapterTests {
  /// Answers by a part of the address; everything else is 404.
  private final class Answers: Fetcher {
    private let answers: [(part: String, body: String)]
    private let asked = Mutex<[FetchRequest]>([])

    init(_ answers: [(String, String)]) {
      self.answers = answers
    }

    var requests: [FetchRequest] { asked.withLock { $0 } }

    func fetch(_ request: FetchRequest) async throws -> FetchResponse {
      asked.withLock { $0.append(request) }
      let found = answers.first { request.url.contains($0.part) }
      return FetchResponse(status: found == nil ? 404 : 200, body: Array((found?.body ?? "").utf8))
    }
  }

  private func site(_ fetcher: any Fetcher, _ platform: any Platform.Type) throws -> PlatformSite {
    PlatformSite(
      name: platform.name, base: "http://127.0.0.1", headers: platform.defaults.headers, timeout: .seconds(1),
      maxBytes: 1 << 20, fetcher: fetcher, markets: try MarketMap(file: nil), milliseconds: { 1 })
  }

  private static let kickoff = Timestamp(CivilTime(year: 2026, month: 11, day: 21, hour: 15))
  private static let listed = ListedEvent(
    id: "1", sportradarID: "50852217", kickoff: kickoff, tournament: ListedTournament(id: "9"))

  private static let betPawa = #"""
    {"id":"32299257","name":"Arsenal - Chelsea","startTime":"2026-11-21T15:00:00Z",
     "participants":[{"name":"Chelsea","position":2},{"name":"Arsenal","position":1}],
     "competition":{"id":"11965","name":"Premier League"},"region":{"name":"England"},
     "widgets":[{"type":"LMT","id":"7"},{"type":"SPORTRADAR","id":"50852217"}],
     "markets":[
      {"marketType":{"id":"3743","displayName":"1X2 | Full Time","tabs":["popular","main"]},"row":[{"formattedHandicap":"",
       "prices":[{"name":"1","price":2.15,"suspended":false,"handicap":""},{"name":"X","price":3.4,"suspended":true},
        {"name":"2","price":3,"suspended":false}]}]},
      {"marketType":{"id":"5000","displayName":"Over/Under","tabs":[]},"row":[
       {"formattedHandicap":"2.5","prices":[{"name":"Over","price":1.8,"suspended":false},
        {"name":"Under","price":1.95,"suspended":false}]}]},
      {"marketType":{"id":"1096755","displayName":"Corners"},"row":[{"prices":[{"name":"a","price":2}]}]}]}
    """#

  private static let sportyBet = #"""
    {"bizCode":10000,"message":"0#0","data":{"eventId":"sr:match:50852217","estimateStartTime":1795273200000,
     "homeTeamName":"Arsenal","awayTeamName":"Chelsea","sport":{"id":"sr:sport:1","category":{"id":"sr:category:1",
     "name":"England","tournament":{"id":"sr:tournament:17","name":"Premier League"}}},
     "markets":[{"id":"1","desc":"1X2","outcomes":[{"id":"1","desc":"Home","odds":"2.15","isActive":1},
      {"id":"2","desc":"Draw","odds":"3.40","isActive":0},{"id":"3","desc":"Away","odds":"3.00","isActive":1}]},
      {"id":"18","desc":"Over/Under","specifier":"total=2.5","outcomes":[
       {"id":"12","desc":"Over 2.5","odds":"1.80","isActive":1},{"id":"13","desc":"Under 2.5","odds":"1.95","isActive":1}]},
      {"id":"14","desc":"Handicap 0:1","specifier":"hcp=0:1","outcomes":[]}]}}
    """#

  private static let bet9ja = #"""
    {"R":"D","D":{"ID":"615263816","DS":"Arsenal - Chelsea","STARTDATE":"2026-11-21 15:00:00","GN":"Premier League",
     "SG":"England","GID":"170880","O":{"S_1X2_1":"2.15","S_1X2_X":"3.40","S_1X2_2":"3.00","S_OU@2.5_O":"1.80",
     "S_OU@2.5_U":"1.95","S_1X2HT_1":"2.70"}}}
    """#

  private func event(_ platform: any Platform.Type, _ body: String) async throws -> ScrapedEvent? {
    try await platform.init(site(Answers([("vent", body)]), platform)).event(Self.listed)
  }

  private func problem(_ platform: any Platform.Type, _ body: String) async -> String? {
    do {
      _ = try await event(platform, body)
      return nil
    } catch {
      return (error as? TaskError).map { "\($0.code): \($0.problem)" }
    }
  }

  @Test func readsTheSameMatchOfAllThree() async throws {
    for (platform, body, draws) in [
      (BetPawa.self as any Platform.Type, Self.betPawa, false), (SportyBet.self, Self.sportyBet, false),
      (Bet9ja.self, Self.bet9ja, true),
    ] {
      let event = try #require(try await event(platform, body))
      #expect(event.name == "Arsenal - Chelsea")
      #expect(event.sportradarID == "50852217")
      #expect(event.kickoff == Self.kickoff)
      #expect(event.tournament.name == "Premier League")
      #expect(event.tournament.country == "England")
      #expect(event.unmapped == 1)
      #expect(event.markets.map(\.id) == ["3743", "5000"])
      #expect(event.markets.map(\.line) == [nil, 2.5])
      #expect(
        event.markets[0].outcomes == [
          StoredOutcome(name: "1", odds: 2.15, isActive: true), StoredOutcome(name: "2", odds: 3, isActive: true),
          StoredOutcome(name: "X", odds: 3.4, isActive: draws),
        ])
      #expect(event.markets[1].outcomes.map(\.name) == ["Over", "Under"])
    }
    #expect(try await event(BetPawa.self, Self.betPawa)?.markets[0].groups == ["popular", "main"])
    #expect(try await event(SportyBet.self, Self.sportyBet)?.tournament.sportradarID == "17")
  }

  @Test func takesWhatIsGoneForNoFailure() async throws {
    #expect(try await BetPawa(site(Answers([]), BetPawa.self)).event(Self.listed) == nil)
    #expect(try await event(SportyBet.self, #"{"bizCode":19000,"message":"Event not found","data":null}"#) == nil)
    #expect(try await event(Bet9ja.self, #"{"R":"E","D":null}"#) == nil)
  }

  /// A change in an answer, and what is said of it.
  private static let changes: [(name: String, old: String, new: String, problem: String)] = [
    (
      "betpawa", #""price":2.15"#, #""price":"2.15""#,
      "markets[0].row[0].prices[0].price: expected a number, found something else"
    ),
    ("betpawa", #""price":2.15"#, #""price":0.5"#, "markets[0].row[0].prices[0].price: expected odds, found nothing"),
    ("betpawa", #""position":1"#, #""position":3"#, "participants: expected one with position 1, found nothing"),
    ("betpawa", #""2026-11-21T15:00:00Z""#, #""soon""#, "startTime: expected a time, found nothing"),
    (
      "betpawa", #""formattedHandicap":"2.5""#, #""formattedHandicap":"many""#,
      "markets[1].row[0]: expected a line such as 2.5, found many"
    ),
    ("betpawa", #""region":{"name":"England"}"#, #""region":null"#, "region: expected an object, found null"),
    ("sportybet", #""odds":"2.15""#, #""odds":"-""#, "data.markets[0].outcomes[0].odds: expected odds, found nothing"),
    ("sportybet", #""homeTeamName":"Arsenal","#, "", "data.homeTeamName: expected a value, found nothing"),
    (
      "sportybet", "1795273200000", "1795273200",
      "data.estimateStartTime: expected milliseconds since 1970, found 1795273200"
    ),
    (
      "sportybet", #""id":"1","desc":"Home""#, #""id":"8","desc":"Nobody""#,
      "data.markets[0].outcomes[0]: expected an outcome of 1X2, not Nobody, found nothing"
    ),
    ("sportybet", "10000", "19999", "bizCode: expected 10000, found 19999 (0#0)"),
    (
      "bet9ja", #""S_OU@2.5_U":"1.95""#, #""S_OU@2.5_Z":"1.95""#,
      "D.O.S_OU@2.5_Z: expected an outcome of Over/Under, found nothing"
    ),
    ("bet9ja", "Arsenal - Chelsea", "Arsenal", "D.DS: expected Home - Away, found Arsenal"),
    ("bet9ja", #""S_1X2_1":"2.15""#, #""S_1X2_1":"much""#, "D.O.S_1X2_1: expected odds, found nothing"),
    ("bet9ja", #""R":"D""#, #""R":"X""#, "R: expected OK or D, found X"),
  ]

  @Test(arguments: changes)
  func saysWhereAnAnswerIsNotAsItShouldBe(change: (name: String, old: String, new: String, problem: String))
    async throws
  {
    let platform = try #require(Platforms.named(change.name))
    let body = try #require(["betpawa": Self.betPawa, "sportybet": Self.sportyBet, "bet9ja": Self.bet9ja][change.name])
    #expect(body.contains(change.old))
    let changed = body.replacing(change.old, with: change.new)
    #expect(await problem(platform, changed) == "unexpected_shape: \(change.problem)")
  }

  @Test func asksAsThePlatformsWantToBeAsked() async throws {
    let answers = Answers([
      ("categories/list/2", #"{"withRegions":[{"regions":[{"competitions":[{"competition":{"id":"11965"}}]}]}]}"#),
      ("by-queries", #"{"responses":[{"responses":[{"id":"5","startTime":"2026-11-21T15:00:00Z","widgets":[]}]}]}"#),
    ])
    let betPawa = BetPawa(try site(answers, BetPawa.self))
    let tournaments = try await betPawa.tournaments()
    #expect(tournaments.map(\.id) == ["11965"])
    let events = try await betPawa.events(of: tournaments[0])
    #expect(events.map(\.id) == ["5"])
    #expect(events[0].sportradarID == nil)
    let request = try #require(answers.requests.last)
    #expect(request.headers["x-pawa-brand"] == "betpawa-nigeria")
    #expect(
      request.url.removingPercentEncoding?.hasSuffix(
        #"q={"queries":[{"query":{"categories":["2"],"eventType":"UPCOMING","hasOdds":true,"zones":{"competitions":["11965"]}},"skip":0,"take":100,"view":{}}]}"#
      ) ?? false)
  }

  @Test(
    arguments: [
      ("2.5", 2.5), ("+1", 1), ("-0.75", -0.75), ("0:1", -1), ("2:0", 2), ("a", nil), ("", nil), ("1:2:3", nil),
    ] as [(String, Double?)])
  func readsLines(text: String, line: Double?) {
    #expect(PayloadNumber.line(text) == line)
  }

  @Test func takesFurtherMarketsFromAFile() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/markets.json"
    let map = #"""
      {"markets":[{"id":"3774","name":"Handicap","line":"handicap","known_as":{"sportybet":"14"},
       "outcomes":[{"name":"1","known_as":{"sportybet":["Home (0:1)"]}}]}]}
      """#
    try map.write(toFile: path, atomically: false, encoding: .utf8)
    let extended = try MarketMap(file: path)
    #expect(extended.market("sportybet", knownAs: "14")?.id == "3774")
    #expect(extended.market("sportybet", knownAs: "1")?.id == "3743")
    try #"{"markets":[{"id":"1"}]}"#.write(toFile: path, atomically: false, encoding: .utf8)
    let error = #expect(throws: TaskError.self) { try MarketMap(file: path) }
    #expect(error?.code == "market_map")
    #expect(error?.problem == "markets[0].name: expected a value, found nothing")
  }
}
