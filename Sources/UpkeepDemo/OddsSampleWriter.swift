import UpkeepCore
import UpkeepDatabase

/// Writes the rows of a sample, tables in the order of their foreign keys.
struct OddsSampleWriter {
  let connection: any DatabaseConnection
  let plan: OddsSamplePlan
  var random: SampleRandom
  /// The competitor events of each event.
  var rivals: [[Int]] = []

  static let sources = ["sportybet", "bet9ja"]
  private static let towns = [
    "Riga", "Lagos", "Accra", "Nairobi", "Kampala", "Tallinn", "Kaunas", "Gdansk", "Leeds", "Porto", "Turin", "Lyon",
    "Bergen", "Malmo", "Gent", "Graz", "Split", "Brno", "Cork", "Dakar",
  ]
  private static let clubs = ["United", "City", "Rovers", "Athletic", "Rangers", "Wanderers", "Stars"]
  private static let countries = ["Latvia", "Nigeria", "Ghana", "Kenya", "England", "Portugal", "Italy", "Norway"]

  init(connection: any DatabaseConnection, plan: OddsSamplePlan) {
    self.connection = connection
    self.plan = plan
    random = SampleRandom(seed: plan.seed)
  }

  /// Sport, bookmakers and both sides' tournaments.
  mutating func writeSmallTables() throws {
    let born = text(plan.runStart(0))
    try connection.execute("INSERT INTO sports VALUES(1, 'Football', 'football')")
    for (index, name) in ["BetPawa", "SportyBet", "Bet9ja"].enumerated() {
      try connection.execute(
        "INSERT INTO bookmakers VALUES(?1, ?2, ?3, 1, NULL, NULL, ?4, ?4)",
        [number(index + 1), .text(name), .text(name.lowercased()), born])
    }
    for tournament in 1...plan.tournaments {
      let kind = tournament > plan.leagues ? "Cup" : "League"
      let country = Self.countries[tournament % Self.countries.count]
      try connection.execute(
        "INSERT INTO tournaments VALUES(?1, 1, ?2, ?3, ?4)",
        [number(tournament), .text("\(kind) \(tournament)"), .text(country), .text("sr:tournament:\(tournament)")])
      for (index, source) in Self.sources.enumerated() {
        try connection.execute(
          "INSERT INTO competitor_tournaments VALUES(?1, ?2, 1, ?3, ?4, NULL, ?5, ?6, ?7, NULL)",
          [
            number(index * plan.tournaments + tournament), .text(source), .text("\(kind) \(tournament)"),
            .text(country), .text("\(source)-\(tournament)"), .text("sr:tournament:\(tournament)"), born,
          ])
      }
    }
  }

  /// The events and the bookmakers that offer them.
  mutating func writeEvents() throws {
    for event in 0..<plan.events {
      let home = team(), away = team()
      let kickoff = plan.kickoff(event)
      let created = text(max(plan.runStart(0), kickoff - .seconds(3 * 86_400)))
      try connection.execute(
        "INSERT INTO events VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        [
          number(event + 1), number(plan.tournament(event)), .text("\(home) - \(away)"), .text(home), .text(away),
          mixedText(kickoff, oneIn: 100), .text("sr:match:\(event + 1)"), created,
        ])
      for bookmaker in 1...3 where bookmaker == 1 || !random.once(in: 4) {
        try connection.execute(
          """
          INSERT INTO event_bookmakers(event_id, bookmaker_id, external_event_id, created_at)
          VALUES(?1, ?2, ?3, ?4)
          """,
          [number(event + 1), number(bookmaker), .text("\(bookmaker)-\(event + 1)"), created])
      }
    }
  }

  /// The competitors' events: most are linked to one of ours, some kick off later than ours.
  mutating func writeCompetitorEvents() throws {
    rivals = Array(repeating: [], count: plan.events)
    var id = 0
    for event in 0..<plan.events {
      for (index, source) in Self.sources.enumerated() where (event + index) % 3 != 0 {
        id += 1
        rivals[event].append(id)
        let postponed: Duration = random.once(in: 6) ? .seconds(48 * 3600) : .zero
        let kickoff = plan.kickoff(event) + postponed
        let created = text(max(plan.runStart(0), kickoff - .seconds(3 * 86_400)))
        let home = team(), away = team()
        try connection.execute(
          "INSERT INTO competitor_events VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, NULL)",
          [
            number(id), .text(source), number(index * plan.tournaments + plan.tournament(event)),
            random.once(in: 15) ? .null : number(event + 1), .text("\(home) v \(away)"), .text(home), .text(away),
            mixedText(kickoff, oneIn: 100), .text("\(source)-\(id)"), .text("sr:match:\(event + 1)"), created,
          ])
      }
    }
  }

  private mutating func team() -> String {
    "\(Self.towns[random.below(Self.towns.count)]) \(Self.clubs[random.below(Self.clubs.count)])"
  }

  func number(_ value: Int) -> DatabaseValue {
    .integer(Int64(value))
  }

  func text(_ instant: Timestamp) -> DatabaseValue {
    .text(SampleTime.usual(instant))
  }

  /// The usual form, and another one once in `number` times.
  mutating func mixedText(_ instant: Timestamp, oneIn number: Int) -> DatabaseValue {
    random.once(in: number) ? .text(SampleTime.unusual(instant, random.below(4))) : text(instant)
  }
}
