import UpkeepCore
import UpkeepRuns

/// What the odds application shows of its tables.
struct CleanupStats: Encodable {
  private struct Table: Encodable {
    var count = 0
    var oldest: Timestamp?
    var newest: Timestamp?

    enum CodingKeys: CodingKey {
      case count, oldest, newest
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(count, forKey: .count)
      try container.encode(oldest, forKey: .oldest)
      try container.encode(newest, forKey: .newest)
    }
  }

  private static let tables = [
    "oddsSnapshots": "odds_snapshots", "competitorOddsSnapshots": "competitor_odds_snapshots", "events": "events",
    "competitorEvents": "competitor_events", "tournaments": "tournaments",
    "competitorTournaments": "competitor_tournaments", "scrapeRuns": "scrape_runs", "scrapeBatches": "scrape_batches",
  ]
  private static let lists = [
    "eventsByPlatform": "events_by_platform", "competitorEventsBySource": "competitor_events_by_source",
  ]

  static let schema: Schema = {
    let instant = Schema.optional(.instant)
    let table = Schema.object([
      Schema.Member("count", .integer()), Schema.Member("oldest", instant), Schema.Member("newest", instant),
    ])
    let platform = Schema.object([Schema.Member("platform", .text()), Schema.Member("count", .integer())])
    return .object(
      tables.keys.sorted().map { Schema.Member($0, table) }
        + lists.keys.sorted().map { Schema.Member($0, .list(platform)) })
  }()

  private let statistics: Statistics

  init(_ statistics: Statistics) {
    self.statistics = statistics
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: AnyKey.self)
    for (key, name) in Self.tables {
      let item = statistics.items.first { $0.name == name }
      try container.encode(
        Table(count: item?.count ?? 0, oldest: item?.oldest, newest: item?.newest), forKey: AnyKey(key))
    }
    for (key, kind) in Self.lists {
      let entries = statistics.details.compactMap { detail -> JSONValue? in
        guard case .object(var members) = detail, members.removeValue(forKey: "kind") == .string(kind) else {
          return nil
        }
        return .object(members)
      }
      try container.encode(entries, forKey: AnyKey(key))
    }
  }
}

/// What a clean-up would remove.
struct CleanupPreview: Encodable {
  /// The counts of `odds_retention` under the application's names.
  static let counts = [
    "oddsSnapshots": "odds_deleted", "competitorOddsSnapshots": "competitor_odds_deleted",
    "marketOddsHistory": "market_odds_history_deleted", "scrapeRuns": "scrape_runs_deleted",
    "scrapeBatches": "scrape_batches_deleted", "events": "events_deleted",
    "competitorEvents": "competitor_events_deleted", "tournaments": "tournaments_deleted",
    "competitorTournaments": "competitor_tournaments_deleted",
  ]

  static let schema = Schema.object(
    ["oddsCutoffDate", "matchCutoffDate"].map { Schema.Member($0, .optional(.instant)) }
      + counts.keys.sorted().map { Schema.Member("\($0)Count", .integer()) })

  private let result: RunResult

  init(_ result: RunResult) {
    self.result = result
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: AnyKey.self)
    for (key, count) in Self.counts { try container.encode(result.counts[count] ?? 0, forKey: AnyKey("\(key)Count")) }
    try container.encode(cutoff("odds_keep"), forKey: "oddsCutoffDate")
    try container.encode(cutoff("match_keep"), forKey: "matchCutoffDate")
  }

  private func cutoff(_ setting: String) -> Timestamp? {
    guard let start = result.startedAt, let keep = result.duration(setting) else { return nil }
    return start - keep
  }
}

/// What a clean-up removed.
struct CleanupExecution: Encodable {
  /// The counts of `odds_retention` under the application's names.
  static let counts = [
    "oddsDeleted": "odds_deleted", "competitorOddsDeleted": "competitor_odds_deleted",
    "scrapeRunsDeleted": "scrape_runs_deleted", "scrapeBatchesDeleted": "scrape_batches_deleted",
    "eventsDeleted": "events_deleted", "competitorEventsDeleted": "competitor_events_deleted",
    "tournamentsDeleted": "tournaments_deleted", "competitorTournamentsDeleted": "competitor_tournaments_deleted",
  ]

  static let schema = Schema.object(
    counts.keys.sorted().map { Schema.Member($0, .integer()) }
      + [
        Schema.Member("marketOddsHistoryDeleted", .integer()), Schema.Member("oldestOddsDate", .optional(.instant)),
        Schema.Member("oldestMatchDate", .optional(.instant)), Schema.Member("durationSeconds", .number),
      ])

  private let result: RunResult

  init(_ result: RunResult) {
    self.result = result
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: AnyKey.self)
    for (key, count) in Self.counts { try container.encode(result.counts[count] ?? 0, forKey: AnyKey(key)) }
    try container.encode(result.counts["market_odds_history_deleted"] ?? 0, forKey: "marketOddsHistoryDeleted")
    try container.encode(result.date("oldest_odds_date"), forKey: "oldestOddsDate")
    try container.encode(result.date("oldest_match_date"), forKey: "oldestMatchDate")
    try container.encode(Double(result.durationMilliseconds ?? 0) / 1000, forKey: "durationSeconds")
  }
}

/// The clean-ups so far.
struct CleanupHistory: Encodable {
  static let schema: Schema = {
    let instant = Schema.optional(.instant)
    let run = Schema.object(
      [
        Schema.Member("id", .integer()), Schema.Member("startedAt", instant), Schema.Member("completedAt", instant),
        Schema.Member("trigger", .text()), Schema.Member("oddsRetentionDays", .integer()),
        Schema.Member("matchRetentionDays", .integer()), Schema.Member("oldestOddsDate", instant),
        Schema.Member("oldestMatchDate", instant), Schema.Member("status", .text()),
        Schema.Member("errorMessage", .optional(.text())), Schema.Member("durationSeconds", .optional(.number)),
      ] + CleanupExecution.counts.keys.sorted().map { Schema.Member($0, .integer()) })
    return .object([Schema.Member("runs", .list(run)), Schema.Member("total", .integer())])
  }()

  private struct Entry: Encodable {
    let record: RunRecord

    func encode(to encoder: any Encoder) throws {
      let result = record.result
      var container = encoder.container(keyedBy: AnyKey.self)
      // The application's front end wants a number: the millisecond in which the record was made.
      try container.encode(record.createdAt.microseconds / 1000, forKey: "id")
      try container.encode(result.startedAt, forKey: "startedAt")
      try container.encode(result.finishedAt, forKey: "completedAt")
      try container.encode(result.trigger, forKey: "trigger")
      try container.encode(days("odds_keep"), forKey: "oddsRetentionDays")
      try container.encode(days("match_keep"), forKey: "matchRetentionDays")
      for (key, count) in CleanupExecution.counts {
        try container.encode(result.counts[count] ?? 0, forKey: AnyKey(key))
      }
      try container.encode(result.date("oldest_odds_date"), forKey: "oldestOddsDate")
      try container.encode(result.date("oldest_match_date"), forKey: "oldestMatchDate")
      try container.encode(result.status, forKey: "status")
      try container.encode(result.errors.first?.message ?? result.reason, forKey: "errorMessage")
      try container.encode(result.durationMilliseconds.map { Double($0) / 1000 }, forKey: "durationSeconds")
    }

    /// Whole days, rounded up: the application knows no fraction.
    private func days(_ setting: String) -> Int {
      Int(((record.result.duration(setting)?.inSeconds ?? 0) / 86_400).rounded(.up))
    }
  }

  private let entries: [Entry]
  private let total: Int

  init(_ records: [RunRecord], total: Int) {
    entries = records.map(Entry.init)
    self.total = total
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: AnyKey.self)
    try container.encode(entries, forKey: "runs")
    try container.encode(total, forKey: "total")
  }
}

/// What runs now.
struct CleanupStatus: Encodable, Hashable {
  static let schema = Schema.object([
    Schema.Member("isCleanupRunning", .boolean), Schema.Member("isScrapingActive", .boolean),
  ])

  var isCleanupRunning: Bool
  var isScrapingActive: Bool
}

/// A key that is known by its text alone.
struct AnyKey: CodingKey, ExpressibleByStringLiteral {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ text: String) { stringValue = text }
  init(stringLiteral text: String) { stringValue = text }
  init?(stringValue text: String) { stringValue = text }
  init?(intValue number: Int) { nil }
}

extension RunResult {
  /// A setting that is a duration.
  fileprivate func duration(_ key: String) -> Duration? {
    guard case .string(let text)? = settings[key] else { return nil }
    return try? Duration(durationText: text)
  }

  /// A date among the details.
  fileprivate func date(_ name: String) -> String? {
    for case .object(let members) in details where members["name"] == .string(name) {
      if case .string(let text)? = members["value"] { return text }
    }
    return nil
  }
}
