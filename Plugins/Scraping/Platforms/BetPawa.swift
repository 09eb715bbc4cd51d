import Foundation
import UpkeepCore

/// BetPawa, whose ids and names of markets and outcomes the application uses.
struct BetPawa: Platform {
  static let name = "betpawa"
  static let title = "BetPawa"
  static let defaults = PlatformDefaults(
    baseURL: "https://www.betpawa.ng",
    headers: ["x-pawa-brand": "betpawa-nigeria", "devicetype": "web"], concurrency: 50, discoveryConcurrency: 5)
  /// How many events a page has at most.
  static let pageSize = 100
  /// No tournament has so many pages; a list that doesn't end isn't one.
  private static let mostPages = 100

  private let site: PlatformSite

  init(_ site: PlatformSite) {
    self.site = site
  }

  private struct Categories: Decodable {
    struct Sport: Decodable { let regions: [Region] }
    struct Region: Decodable { let competitions: [Entry] }
    struct Entry: Decodable { let competition: Competition }
    struct Competition: Decodable { let id: PayloadID }
    let withRegions: [Sport]
  }

  func tournaments() async throws -> [ListedTournament] {
    let payload = try await site.get("/api/sportsbook/v3/categories/list/2", as: Categories.self)
    let sport = try payload.required(payload.value.withRegions.first, "withRegions[0]", "the football regions")
    return sport.regions.flatMap(\.competitions).map { ListedTournament(id: $0.competition.id.text) }
  }

  private struct Page: Decodable {
    struct Answer: Decodable { let responses: [Entry] }
    struct Entry: Decodable {
      let id: PayloadID
      let startTime: String
      let widgets: [Widget]?
    }
    let responses: [Answer]
  }

  private struct Widget: Decodable {
    let type: String
    let id: PayloadID?

    static func sportradarID(_ widgets: [Widget]?) -> String? {
      widgets?.first { $0.type == "SPORTRADAR" }?.id?.sportradar
    }
  }

  func events(of tournament: ListedTournament) async throws -> [ListedEvent] {
    var events: [ListedEvent] = []
    for page in 0..<Self.mostPages {
      let query = try Self.query(tournament.id, skip: page * Self.pageSize)
      let payload = try await site.get(
        "/api/sportsbook/v3/events/lists/by-queries", [("q", query)], as: Page.self)
      let answer = try payload.required(payload.value.responses.first, "responses[0]", "the answer to the query")
      for (index, entry) in answer.responses.enumerated() {
        let kickoff = try payload.required(
          Timestamp(text: entry.startTime), "responses[0].responses[\(index)].startTime", "a time")
        events.append(
          ListedEvent(
            id: entry.id.text, sportradarID: Widget.sportradarID(entry.widgets), kickoff: kickoff,
            tournament: tournament))
      }
      if answer.responses.count < Self.pageSize { return events }
    }
    throw TaskError(
      code: "unexpected_shape", place: "betpawa competition \(tournament.id)",
      problem: "its list of events doesn't end after \(Self.mostPages) pages", fix: "its adapter has to follow")
  }

  private static func query(_ competition: String, skip: Int) throws -> String {
    let zones: JSONValue = .object(["competitions": .array([.string(competition)])])
    let query: JSONValue = .object([
      "eventType": "UPCOMING", "categories": .array(["2"]), "zones": zones, "hasOdds": .boolean(true),
    ])
    let document: JSONValue = .object([
      "queries": .array([
        .object(["query": query, "view": .object([:]), "skip": .integer(skip), "take": .integer(pageSize)])
      ])
    ])
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(document), as: UTF8.self)
  }

  private struct Event: Decodable {
    struct Named: Decodable { let name: String }
    struct Competition: Decodable {
      let id: PayloadID?
      let name: String
    }
    struct Participant: Decodable {
      let name: String
      let position: Int
    }
    struct Market: Decodable {
      let marketType: MarketType
      let row: [Row]
    }
    struct MarketType: Decodable {
      let id: PayloadID
      let displayName: String
      let tabs: [String]?
    }
    struct Row: Decodable {
      let formattedHandicap: String?
      let prices: [Price]
    }
    struct Price: Decodable {
      let name: String
      let price: Double
      let suspended: Bool?
    }
    let id: PayloadID
    let startTime: String
    let participants: [Participant]
    let competition: Competition
    let region: Named
    let widgets: [Widget]?
    let markets: [Market]
  }

  func event(_ listed: ListedEvent) async throws -> ScrapedEvent? {
    guard
      let payload = try await site.find(
        "/api/sportsbook/v3/events/\(PlatformSite.escaped(listed.id))", as: Event.self)
    else { return nil }
    let event = payload.value
    func team(_ position: Int) throws -> String {
      let found = event.participants.first { $0.position == position }?.name
      return try payload.required(found, "participants", "one with position \(position)")
    }
    var result = ScrapedEvent(
      id: event.id.text,
      sportradarID: try payload.required(
        Widget.sportradarID(event.widgets) ?? listed.sportradarID, "widgets", "one of type SPORTRADAR"),
      home: try team(1), away: try team(2),
      kickoff: try payload.required(Timestamp(text: event.startTime), "startTime", "a time"),
      tournament: ScrapedTournament(
        id: event.competition.id?.text ?? listed.tournament.id, name: event.competition.name,
        country: event.region.name))
    var markets = MarketCollector(site.markets, platform: Self.name)
    for (index, market) in event.markets.enumerated() {
      guard let known = markets.market(id: market.marketType.id.text) else { continue }
      for (number, row) in market.row.enumerated() {
        let path = "markets[\(index)].row[\(number)]"
        let outcomes = try row.prices.enumerated().map { place, price in
          let isActive = !(price.suspended ?? false)
          let odds = try payload.required(
            PayloadNumber.odds(price.price, isActive: isActive), "\(path).prices[\(place)].price", "odds")
          return StoredOutcome(name: price.name, odds: odds, isActive: isActive)
        }
        try markets.add(
          known, named: market.marketType.displayName, line: row.formattedHandicap, outcomes, at: path,
          groups: market.marketType.tabs ?? [], payload.unexpected)
      }
    }
    markets.finish(&result)
    return result
  }
}
