import UpkeepCore
import UpkeepDatabase

extension OddsSampleWriter {
  private static let runsPerBatch = 4

  /// The scrape runs in the order of time, each with its snapshots of both sides, its errors and its logs.
  mutating func writeScrapes() throws {
    var turn = 0
    for run in 0..<plan.runs {
      let start = plan.runStart(run)
      try writeRun(run, start)
      let visible = plan.visible(at: start)
      let count = plan.snapshots(ofRun: run)
      for index in 0..<count {
        let captured = plan.settled(start + step(index, of: count))
        turn += 1
        let isOutright = random.once(in: 300)
        let event = isOutright ? plan.matches + turn % plan.outrights : visible.lowerBound + turn % visible.count
        try writeSnapshot(of: event, run, captured, isOutright: isOutright)
        if turn % 4 == 0 { try writeCompetitorSnapshot(near: event, run, captured, isOutright: isOutright) }
      }
      try writeLogs(run, start, visible)
    }
  }

  /// When in its run a snapshot is taken: one after the other over the run's length.
  private mutating func step(_ index: Int, of count: Int) -> Duration {
    let length = Int(OddsSamplePlan.runLength.microseconds)
    return .microseconds(Int64(length * index / count + random.below(max(1, length / count))))
  }

  /// One run; the runs of every third batch were never linked to it, so that it has none.
  private mutating func writeRun(_ run: Int, _ start: Timestamp) throws {
    let batch = run / Self.runsPerBatch
    let end = text(start + OddsSamplePlan.runLength)
    let status: DatabaseValue = random.once(in: 50) ? "failed" : "completed"
    if run % Self.runsPerBatch == 0 {
      try connection.execute(
        "INSERT INTO scrape_batches VALUES(?1, ?2, ?3, 'completed', 'scheduled', NULL)",
        [number(batch + 1), text(start), end])
    }
    try connection.execute(
      """
      INSERT INTO scrape_runs VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, 'scheduled', NULL, NULL,
        '{"betpawa":"completed","sportybet":"completed"}', '{"betpawa":41210,"sportybet":38007}')
      """,
      [
        number(run + 1), batch % 3 == 2 ? .null : number(batch + 1), status, text(start), end,
        number(plan.snapshots(ofRun: run)),
      ])
  }

  private mutating func writeSnapshot(of event: Int, _ run: Int, _ captured: Timestamp, isOutright: Bool) throws {
    try connection.execute(
      """
      INSERT INTO odds_snapshots(event_id, bookmaker_id, captured_at, scrape_run_id, last_confirmed_at)
      VALUES(?1, 1, ?2, ?3, ?4)
      """,
      [
        number(event + 1), mixedText(captured, oneIn: 500), random.once(in: 200) ? .null : number(run + 1),
        confirmation(captured, isOutright: isOutright),
      ])
  }

  private mutating func writeCompetitorSnapshot(
    near event: Int, _ run: Int, _ captured: Timestamp, isOutright: Bool
  ) throws {
    let choices = rivals[event]
    guard !choices.isEmpty else { return }
    try connection.execute(
      """
      INSERT INTO competitor_odds_snapshots(competitor_event_id, captured_at, scrape_run_id, last_confirmed_at)
      VALUES(?1, ?2, ?3, ?4)
      """,
      [
        number(choices[random.below(choices.count)]), mixedText(captured, oneIn: 500), number(run + 1),
        confirmation(captured, isOutright: isOutright),
      ])
  }

  /// When unchanged odds were seen last: far-off events' odds often within the last two days, others soon after.
  private mutating func confirmation(_ captured: Timestamp, isOutright: Bool) -> DatabaseValue {
    if isOutright, random.once(in: 2) {
      return text(max(captured, plan.now - .seconds(3600 * (1 + random.below(48)))))
    }
    guard random.once(in: 5) else { return .null }
    return text(min(plan.now, plan.settled(captured + .seconds(60 * (1 + random.below(120))))))
  }

  /// What a run leaves beside its snapshots; some errors name an event that is long over.
  private mutating func writeLogs(_ run: Int, _ start: Timestamp, _ visible: Range<Int>) throws {
    let id = number(run + 1)
    for phase in ["discovery", "scraping", "storing"] {
      try connection.execute(
        """
        INSERT INTO scrape_phase_logs(scrape_run_id, platform, phase, started_at, ended_at, events_processed)
        VALUES(?1, 'betpawa', ?2, ?3, ?4, ?5)
        """,
        [id, .text(phase), text(start), text(start + OddsSamplePlan.runLength), number(visible.count)])
    }
    for _ in 0..<random.below(3) {
      let event = random.once(in: 4) ? random.below(visible.upperBound) : visible.lowerBound
      try connection.execute(
        """
        INSERT INTO scrape_errors(scrape_run_id, bookmaker_id, event_id, error_type, error_message, occurred_at)
        VALUES(?1, ?2, ?3, 'timeout', 'no answer within 30 s', ?4)
        """,
        [
          id, number(1 + random.below(3)), random.once(in: 6) ? .null : number(event + 1),
          text(start + .seconds(random.below(600))),
        ])
    }
    for event in visible.prefix(5) {
      try connection.execute(
        """
        INSERT INTO event_scrape_status(scrape_run_id, sportradar_id, status, platforms_requested, platforms_scraped,
          timing_ms, created_at)
        VALUES(?1, ?2, 'completed', '["betpawa","sportybet"]', '["betpawa","sportybet"]', ?3, ?4)
        """,
        [id, .text("sr:match:\(event + 1)"), number(200 + random.below(3000)), text(start)])
    }
  }

  /// The markets of every snapshot, two or three each, and the tables that follow from them.
  ///
  /// SQLite makes them itself from the snapshots: they are most of the rows.
  func writeMarkets() throws {
    let markets = """
      (SELECT 0 AS number, '3743' AS market, '1X2 - FT' AS name, NULL AS line, '1' AS low, '2' AS high
       UNION ALL SELECT 1, '5000', 'Over/Under - FT', 2.5, 'Over', 'Under'
       UNION ALL SELECT 2, '3795', 'Both Teams To Score - FT', NULL, 'Yes', 'No')
      """
    func outcomes(_ key: String) -> String {
      """
      printf('[{"name":"%s","odds":%d.%02d},{"name":"%s","odds":%d.%02d}]', m.low, 1 + (\(key) * 7919 + ?1) % 5,
        (\(key) * 31 + ?1) % 100, m.high, 1 + (\(key) * 104729 + ?1) % 7, (\(key) * 17 + m.number) % 100)
      """
    }
    let seed: [DatabaseValue] = [number(Int(plan.seed % 1_000_003))]
    for (table, snapshots) in [
      ("market_odds", "odds_snapshots"), ("competitor_market_odds", "competitor_odds_snapshots"),
    ] {
      try connection.execute(
        """
        INSERT INTO \(table)(snapshot_id, betpawa_market_id, betpawa_market_name, line, outcomes)
        SELECT s.id, m.market, m.name, m.line, \(outcomes("s.id"))
        FROM \(snapshots) s CROSS JOIN \(markets) m WHERE m.number < 2 + s.id % 2
        """, seed)
    }
    try connection.execute(
      """
      INSERT INTO market_odds_current(event_id, bookmaker_slug, betpawa_market_id, betpawa_market_name, line, outcomes,
        last_updated_at, last_confirmed_at)
      SELECT e.id, 'betpawa', m.market, m.name, m.line, \(outcomes("e.id")), e.created_at, min(e.kickoff, ?2)
      FROM events e CROSS JOIN \(markets) m WHERE m.number < 2
      """, seed + [text(plan.now)])
    try connection.execute(
      """
      INSERT INTO market_odds_history(event_id, bookmaker_slug, betpawa_market_id, line, outcomes, captured_at)
      SELECT s.event_id, 'betpawa', m.market, m.line, \(outcomes("s.id")), s.captured_at
      FROM odds_snapshots s CROSS JOIN \(markets) m WHERE m.number = 0 AND s.id % 10 = 0
      """, seed)
  }
}
