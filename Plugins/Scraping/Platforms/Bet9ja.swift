import Foundation
import UpkeepCore

/// Bet9ja, which writes an event's odds as one map from keys such as `S_OU@2.5_O` to texts.
struct Bet9ja: Platform {
  static let name = "bet9ja"
  static let title = "Bet9ja"
  static let defaults = PlatformDefaults(
    baseURL: "https://sports.bet9ja.com/desktop/feapi/PalimpsestAjax", concurrency: 15, discoveryConcurrency: 15,
    // Without it the platform answered 403.
    delay: .milliseconds(25))

  private let site: PlatformSite

  init(_ site: PlatformSite) {
    self.site = site
  }

  /// What every answer is wrapped in.
  private struct Wrapped<Content: Decodable>: Decodable {
    let code: String
    let content: Content?

    enum CodingKeys: String, CodingKey {
      case code = "R"
      case content = "D"
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      code = try container.decode(String.self, forKey: .code)
      let isGood = code == "OK" || code == "D"
      content = isGood ? try container.decodeIfPresent(Content.self, forKey: .content) : nil
    }
  }

  private func content<Content>(_ payload: Payload<Wrapped<Content>>) throws -> Content {
    guard payload.value.code == "OK" || payload.value.code == "D" else {
      throw payload.unexpected("R", "expected OK or D, found \(payload.value.code)")
    }
    return try payload.required(payload.value.content, "D", "a value")
  }

  /// The version of the site that the answers are for.
  private static let version = ("v_cache_version", "1.301.2.225")

  private struct Sports: Decodable {
    struct Sport: Decodable {
      let groups: PayloadMap<Country>
      enum CodingKeys: String, CodingKey { case groups = "SG" }
    }
    struct Country: Decodable {
      let name: String
      let tournaments: PayloadMap<Tournament>
      enum CodingKeys: String, CodingKey {
        case name = "SG_DESC"
        case tournaments = "G"
      }
    }
    struct Tournament: Decodable {
      let name: String
      enum CodingKeys: String, CodingKey { case name = "G_DESC" }
    }
    let sports: PayloadMap<Sport>
    enum CodingKeys: String, CodingKey { case sports = "PAL" }
  }

  func tournaments() async throws -> [ListedTournament] {
    let payload = try await site.get("/GetSports", [("DISP", "0"), Self.version], as: Wrapped<Sports>.self)
    let football = try payload.required(content(payload).sports.entries["1"], "D.PAL.1", "football")
    return football.groups.sorted.flatMap { country in
      country.value.tournaments.sorted.map {
        ListedTournament(id: $0.key, name: $0.value.name, country: country.value.name)
      }
    }
  }

  private struct Group: Decodable {
    struct Entry: Decodable {
      let id: PayloadID
      let external: String?
      let start: String

      enum CodingKeys: String, CodingKey {
        case id = "ID"
        case external = "EXTID"
        case start = "STARTDATE"
      }

      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(PayloadID.self, forKey: .id)
        // Events that SportRadar doesn't know have none, or an empty one.
        external = (try? container.decodeIfPresent(PayloadID.self, forKey: .external))?.sportradar
        start = try container.decode(String.self, forKey: .start)
      }
    }
    let events: [Entry]
    enum CodingKeys: String, CodingKey { case events = "E" }
  }

  func events(of tournament: ListedTournament) async throws -> [ListedEvent] {
    let payload = try await site.get(
      "/GetEventsInGroupV2",
      [("GROUPID", tournament.id), ("DISP", "0"), ("GROUPMARKETID", "1"), Self.version], as: Wrapped<Group>.self)
    return try content(payload).events.enumerated().map { index, entry in
      ListedEvent(
        id: entry.id.text, sportradarID: entry.external,
        kickoff: try payload.required(Timestamp(text: entry.start), "D.E[\(index)].STARTDATE", "a time"),
        tournament: tournament)
    }
  }

  private struct Event: Decodable {
    let id: PayloadID
    let teams: String
    let start: String
    let tournament: String
    let country: String
    let group: PayloadID
    let odds: PayloadMap<String>

    enum CodingKeys: String, CodingKey {
      case id = "ID"
      case teams = "DS"
      case start = "STARTDATE"
      case tournament = "GN"
      case country = "SG"
      case group = "GID"
      case odds = "O"
    }
  }

  func event(_ listed: ListedEvent) async throws -> ScrapedEvent? {
    let found = try await site.find(
      "/GetEvent", [("EVENTID", listed.id), Self.version], as: Wrapped<Event>.self)
    guard let payload = found, payload.value.code != "E" else { return nil }
    let event = try content(payload)
    let teams = event.teams.components(separatedBy: " - ")
    guard teams.count == 2, teams.allSatisfy({ !$0.isEmpty }) else {
      throw payload.unexpected("D.DS", "expected Home - Away, found \(event.teams)")
    }
    var result = ScrapedEvent(
      id: event.id.text,
      sportradarID: try payload.required(listed.sportradarID, "D.EXTID", "a SportRadar id in the list"),
      home: teams[0], away: teams[1],
      kickoff: try payload.required(Timestamp(text: event.start), "D.STARTDATE", "a time"),
      tournament: ScrapedTournament(id: event.group.text, name: event.tournament, country: event.country))
    var markets = MarketCollector(site.markets, platform: Self.name)
    for (prefix, group) in Self.grouped(event.odds.entries) {
      guard let known = markets.market(knownAs: group.market) else { continue }
      let outcomes = try group.odds.map { key, text in
        let name = known.outcome(of: Self.name, key)
        return StoredOutcome(
          name: try payload.required(name, "D.O.\(prefix)_\(key)", "an outcome of \(known.name)"),
          odds: try payload.required(PayloadNumber.odds(Double(text), isActive: true), "D.O.\(prefix)_\(key)", "odds"),
          isActive: true)
      }
      try markets.add(known, line: group.line, outcomes, at: "D.O.\(prefix)", payload.unexpected)
    }
    markets.finish(&result)
    return result
  }

  private struct Odds {
    var market: String
    var line: String?
    var odds: [(String, String)] = []
  }

  /// The odds by what stands before the outcome in `S_<market>[@line]_<outcome>`, in a fixed order.
  private static func grouped(_ odds: [String: String]) -> [(String, Odds)] {
    var groups: [String: Odds] = [:]
    for (key, text) in odds {
      guard let end = key.lastIndex(of: "_"), end != key.startIndex else { continue }
      let prefix = String(key[..<end])
      let parts = prefix.split(separator: "@", maxSplits: 1).map(String.init)
      groups[prefix, default: Odds(market: parts[0], line: parts.dropFirst().first)]
        .odds.append((String(key[key.index(after: end)...]), text))
    }
    return groups.mapValues { group in
      var group = group
      group.odds.sort { $0.0 < $1.0 }
      return group
    }.sorted { $0.key < $1.key }
  }
}
