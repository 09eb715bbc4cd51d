import UpkeepCore

/// A betting platform, as the task reads it: tournaments, the events of each, and each event with its odds.
///
/// Another platform is one file with a type that conforms, and a line in ``Platforms/all``.
protocol Platform: Sendable {
  /// What it is called in settings, counts and the application's tables.
  static var name: String { get }
  /// Its name for people.
  static var title: String { get }
  /// How it is asked where the settings say nothing.
  static var defaults: PlatformDefaults { get }

  /// Reads from a site.
  init(_ site: PlatformSite)

  /// The football tournaments that it has.
  func tournaments() async throws -> [ListedTournament]
  /// The events of a tournament, all pages.
  func events(of tournament: ListedTournament) async throws -> [ListedEvent]
  /// An event with its odds; nothing where it is gone.
  func event(_ listed: ListedEvent) async throws -> ScrapedEvent?
}

/// How a platform is asked where the settings say nothing.
struct PlatformDefaults: Sendable {
  /// Scheme, host and path prefix.
  var baseURL: String
  /// What each request carries.
  var headers: [String: String] = [:]
  /// How many events are asked for at a time.
  var concurrency: Int
  /// How many tournaments are asked for at a time.
  var discoveryConcurrency: Int
  /// The least time between two requests.
  var delay = Duration.zero
}

/// The platforms that the task knows.
enum Platforms {
  /// All of them; the first is the one whose ids and names the application uses.
  static let all: [any Platform.Type] = [BetPawa.self, SportyBet.self, Bet9ja.self]

  /// The platform with a name.
  static func named(_ name: String) -> (any Platform.Type)? {
    all.first { $0.name == name }
  }
}

/// A tournament in a platform's list.
struct ListedTournament: Hashable, Sendable {
  /// The platform's id.
  var id: String
  /// Its name; nothing where only its events say it.
  var name: String?
  /// The country or region.
  var country: String?
}

/// An event in a platform's list.
struct ListedEvent: Hashable, Sendable {
  /// The platform's id.
  var id: String
  /// The numeric id that all platforms share; nothing where it has none, so that it can't be matched.
  var sportradarID: String?
  /// When it begins.
  var kickoff: Timestamp
  /// The tournament that it was listed under.
  var tournament: ListedTournament
}

/// An event with its odds, the same whichever platform it is from.
struct ScrapedEvent: Hashable, Sendable {
  /// The platform's id.
  var id: String
  /// The numeric id that all platforms share.
  var sportradarID: String
  /// The home team.
  var home: String
  /// The away team.
  var away: String
  /// When it begins.
  var kickoff: Timestamp
  /// Its tournament.
  var tournament: ScrapedTournament
  /// Its odds, by market and line.
  var markets: [ScrapedMarket] = []
  /// How many markets the map doesn't know.
  var unmapped = 0

  /// `Home - Away`
  var name: String { "\(home) - \(away)" }
}

/// The tournament of an event.
struct ScrapedTournament: Hashable, Sendable {
  /// The platform's id.
  var id: String
  /// Its name.
  var name: String
  /// The country or region.
  var country: String
  /// The numeric id that platforms share, where this one says it.
  var sportradarID: String?
}

/// The odds of one market of an event.
struct ScrapedMarket: Hashable, Sendable {
  /// The id under which the application knows the market: BetPawa's.
  var id: String
  /// Its name.
  var name: String
  /// The over/under line, or the home side's handicap.
  var line: Double?
  /// Whether the line is a handicap.
  var isHandicap = false
  /// The odds, by name.
  var outcomes: [StoredOutcome]
  /// The tabs that BetPawa shows the market under.
  var groups: [String] = []
}

/// One outcome, as the application stores it.
struct StoredOutcome: Hashable, Codable, Sendable {
  /// BetPawa's name for it, such as `1` or `Over`.
  var name: String
  /// The odds.
  var odds: Double
  /// Whether it can be bet on.
  var isActive: Bool

  enum CodingKeys: String, CodingKey {
    case name, odds
    case isActive = "is_active"
  }
}
