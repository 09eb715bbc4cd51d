public import UpkeepCore

/// Made-up matches with odds, the same for the same numbers; odds move when they are told to.
public struct StandInOdds: Sendable {
  /// How many matches there are.
  public let events: Int
  /// How many tournaments they are spread over.
  public let tournaments: Int
  /// When the first of them begins; one follows each five minutes.
  public let firstKickoff: Timestamp
  /// How often the odds of each match have moved.
  var moves: [Int]

  /// Makes up matches.
  public init(events: Int, tournaments: Int, firstKickoff: Timestamp) {
    self.events = events
    self.tournaments = max(1, min(tournaments, events))
    self.firstKickoff = Timestamp(microseconds: firstKickoff.seconds * 1_000_000)
    moves = Array(repeating: 0, count: events)
  }

  private static let towns = [
    "Riga", "Lagos", "Accra", "Nairobi", "Kampala", "Tallinn", "Kaunas", "Gdansk", "Leeds", "Porto", "Turin", "Lyon",
    "Bergen", "Malmo", "Gent", "Graz", "Split", "Brno", "Cork", "Dakar",
  ]
  private static let clubs = ["United", "City", "Rovers", "Athletic", "Rangers", "Wanderers", "Stars"]
  private static let countries = ["Latvia", "Nigeria", "Ghana", "Kenya", "England", "Portugal", "Italy", "Norway"]

  /// The lines of over and under.
  static let lines = ["1.5", "2.5", "3.5"]

  /// The number that platforms share for a match.
  func sportradarID(_ event: Int) -> Int { 60_000_001 + event }

  func kickoff(_ event: Int) -> Timestamp { firstKickoff + .seconds(300 * event) }

  func home(_ event: Int) -> String {
    "\(Self.towns[event % Self.towns.count]) \(Self.clubs[event / Self.towns.count % Self.clubs.count])"
  }

  func away(_ event: Int) -> String {
    "\(Self.towns[(event * 7 + 3) % Self.towns.count]) \(Self.clubs[(event / 3 + 2) % Self.clubs.count])"
  }

  func tournament(of event: Int) -> Int { event % tournaments }
  func tournamentName(_ tournament: Int) -> String { "League \(tournament + 1)" }
  func country(_ tournament: Int) -> String { Self.countries[tournament % Self.countries.count] }
  func members(of tournament: Int) -> [Int] { Array(stride(from: tournament, to: events, by: tournaments)) }

  /// Odds between 1.05 and 9.04, in hundredths; those of one outcome of one platform for a match.
  func odds(_ event: Int, _ platform: Int, _ outcome: Int) -> String {
    var random = SampleRandom(seed: UInt64(event * 1000 + platform * 100 + outcome))
    let hundredths = 105 + (random.below(800) + moves[event] * 7) % 800
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }
}
