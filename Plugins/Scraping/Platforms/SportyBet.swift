import UpkeepCore

/// SportyBet, whose ids of events and markets are SportRadar's.
struct SportyBet: Platform {
  static let name = "sportybet"
  static let title = "SportyBet"
  static let defaults = PlatformDefaults(
    baseURL: "https://www.sportybet.com", headers: ["clientid": "web", "operid": "2", "platform": "web"],
    concurrency: 50, discoveryConcurrency: 10)
  private static let good = 10_000
  /// What is answered where there is no such event.
  private static let notFound = 19_000

  private let site: PlatformSite

  init(_ site: PlatformSite) {
    self.site = site
  }

  /// What every answer is wrapped in.
  private struct Wrapped<Content: Decodable>: Decodable {
    let bizCode: Int
    let message: String?
    let data: Content?

    enum CodingKeys: String, CodingKey {
      case bizCode, message, data
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      bizCode = try container.decode(Int.self, forKey: .bizCode)
      message = try container.decodeIfPresent(String.self, forKey: .message)
      data = bizCode == SportyBet.good ? try container.decodeIfPresent(Content.self, forKey: .data) : nil
    }
  }

  private func content<Content>(_ payload: Payload<Wrapped<Content>>) throws -> Content {
    let answer = payload.value
    guard answer.bizCode == Self.good else {
      throw payload.unexpected(
        "bizCode", "expected \(Self.good), found \(answer.bizCode)\(answer.message.map { " (\($0))" } ?? "")")
    }
    return try payload.required(answer.data, "data", "a value")
  }

  private var time: (String, String) { ("_t", String(site.milliseconds())) }

  private struct Sports: Decodable {
    struct Sport: Decodable { let categories: [Category] }
    struct Category: Decodable {
      let name: String
      let tournaments: [Tournament]
    }
    let sportList: [Sport]
  }

  private struct Tournament: Decodable {
    let id: PayloadID
    let name: String
  }

  func tournaments() async throws -> [ListedTournament] {
    let payload = try await site.get(
      "/api/ng/factsCenter/popularAndSportList",
      [("sportId", "sr:sport:1"), ("timeline", ""), ("productId", "3"), time], as: Wrapped<Sports>.self)
    return try content(payload).sportList.flatMap(\.categories).flatMap { category in
      category.tournaments.map { ListedTournament(id: $0.id.text, name: $0.name, country: category.name) }
    }
  }

  private struct Group: Decodable {
    struct Entry: Decodable {
      let eventId: PayloadID
      let estimateStartTime: Int64
    }
    let events: [Entry]
  }

  func events(of tournament: ListedTournament) async throws -> [ListedEvent] {
    let query: JSONValue = .object([
      "sportId": "sr:sport:1", "marketId": "1,18,10,29,11,26,36,14",
      "tournamentId": .array([.array([.string(tournament.id)])]),
    ])
    let payload = try await site.post(
      "/api/ng/factsCenter/pcEvents", .array([query]), as: Wrapped<[Group]>.self)
    return try content(payload).enumerated().flatMap { number, group in
      try group.events.enumerated().map { index, entry in
        ListedEvent(
          id: entry.eventId.text, sportradarID: entry.eventId.sportradar(behind: "sr:match:"),
          kickoff: try Self.time(entry.estimateStartTime, payload, "data[\(number)].events[\(index)]"),
          tournament: tournament)
      }
    }
  }

  private static func time(_ milliseconds: Int64, _ payload: Payload<some Any>, _ path: String) throws -> Timestamp {
    // Milliseconds of this and the next century: seconds, or nothing, would be read as 1970.
    guard (631_152_000_000...4_102_444_800_000).contains(milliseconds) else {
      let place = path.isEmpty ? "data" : path
      throw payload.unexpected("\(place).estimateStartTime", "expected milliseconds since 1970, found \(milliseconds)")
    }
    return Timestamp(microseconds: milliseconds * 1000)
  }

  private struct Event: Decodable {
    struct Sport: Decodable { let category: Category }
    struct Category: Decodable {
      let name: String
      let tournament: Tournament
    }
    struct Market: Decodable {
      let id: PayloadID
      let specifier: String?
      let outcomes: [Outcome]
    }
    struct Outcome: Decodable {
      let id: PayloadID
      let desc: String
      let odds: String
      let isActive: Int
    }
    let eventId: PayloadID
    let estimateStartTime: Int64
    let homeTeamName: String
    let awayTeamName: String
    let sport: Sport
    let markets: [Market]
  }

  func event(_ listed: ListedEvent) async throws -> ScrapedEvent? {
    let found = try await site.find(
      "/api/ng/factsCenter/event", [("eventId", listed.id), ("productId", "3"), time], as: Wrapped<Event>.self)
    guard let payload = found else { return nil }
    let answer = payload.value
    if answer.bizCode == Self.notFound { return nil }
    if answer.bizCode != Self.good, answer.message?.lowercased().contains("not found") ?? false { return nil }
    let event = try content(payload)
    let category = event.sport.category
    var result = ScrapedEvent(
      id: event.eventId.text,
      sportradarID: try payload.required(
        event.eventId.sportradar(behind: "sr:match:"), "data.eventId", "sr:match: and a number"),
      home: event.homeTeamName, away: event.awayTeamName,
      kickoff: try Self.time(event.estimateStartTime, payload, ""),
      tournament: ScrapedTournament(
        id: category.tournament.id.text, name: category.tournament.name, country: category.name,
        sportradarID: category.tournament.id.sportradar(behind: "sr:tournament:")))
    var markets = MarketCollector(site.markets, platform: Self.name)
    for (index, market) in event.markets.enumerated() {
      guard let known = markets.market(knownAs: market.id.text) else { continue }
      let path = "data.markets[\(index)]"
      let outcomes = try market.outcomes.enumerated().map { number, outcome in
        let place = "\(path).outcomes[\(number)]"
        let name = known.outcome(of: Self.name, outcome.desc) ?? known.outcome(of: Self.name, outcome.id.text)
        let isActive = outcome.isActive == 1
        return StoredOutcome(
          name: try payload.required(name, place, "an outcome of \(known.name), not \(outcome.desc)"),
          odds: try payload.required(
            PayloadNumber.odds(Double(outcome.odds), isActive: isActive), "\(place).odds", "odds"),
          isActive: isActive)
      }
      // `total=2.5` or `hcp=0:1`; of several the map's market has but one.
      let line = market.specifier.flatMap { $0.split(separator: "=", maxSplits: 1).dropFirst().first.map(String.init) }
      try markets.add(known, line: line, outcomes, at: path, payload.unexpected)
    }
    markets.finish(&result)
    return result
  }
}
