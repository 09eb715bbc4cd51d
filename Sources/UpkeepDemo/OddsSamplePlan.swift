import UpkeepCore

/// Where in time the things of a sample lie: pure arithmetic, so that the writer only has to write.
struct OddsSamplePlan {
  let now: Timestamp
  let seed: UInt64
  let snapshots: Int
  /// Scrape runs a day: about 90 snapshots each, at most one every half hour.
  let runsPerDay: Int
  /// Events that kick off between 44 days ago and 5 days from now, in the order of their kickoff.
  let matches: Int
  /// Events far ahead whose odds are watched from the first day on.
  let outrights: Int
  let leagues: Int
  /// Tournaments that last a few days only, so that they become empty.
  let cups: Int

  /// How long a scrape run takes.
  static let runLength = Duration.seconds(600)
  private static let dayLength = Duration.seconds(86_400)

  init(sample: OddsSample) {
    now = sample.now
    seed = sample.seed
    snapshots = sample.snapshots
    runsPerDay = min(48, max(1, snapshots / OddsSample.days / 90))
    matches = max(120, snapshots / 50)
    outrights = max(4, matches / 100)
    leagues = max(8, matches / 40)
    cups = max(8, matches / 60)
  }

  var runs: Int { OddsSample.days * runsPerDay }
  var events: Int { matches + outrights }
  var tournaments: Int { leagues + cups }

  /// When a scrape run (from 0) starts: two minutes before each whole part of a day, counted back from now, so that
  /// every cutoff of whole days falls into a run.
  func runStart(_ run: Int) -> Timestamp {
    now - Self.dayLength * OddsSample.days + Self.dayLength * run / runsPerDay - .seconds(120)
  }

  /// The instant, moved out of the 25 minutes after each cutoff of whole days.
  ///
  /// Time goes on while somebody tries things: without the gap, a run a minute after the first would find the rows of
  /// that minute. Later instants stay later.
  func settled(_ instant: Timestamp) -> Timestamp {
    let gap: Int64 = 25 * 60_000_000
    let day = Self.dayLength.microseconds
    let sinceCutoff = ((instant - now).microseconds % day + day) % day
    guard sinceCutoff < gap else { return instant }
    return instant + .microseconds(gap - sinceCutoff + sinceCutoff / 10)
  }

  /// How many snapshots a run takes.
  func snapshots(ofRun run: Int) -> Int {
    snapshots * (run + 1) / runs - snapshots * run / runs
  }

  /// When an event (from 0) kicks off.
  func kickoff(_ event: Int) -> Timestamp {
    guard event < matches else { return now + Self.dayLength * (20 + event - matches) }
    return settled(now - Self.dayLength * 44 + Self.dayLength * (49 * event) / matches)
  }

  /// The events that a run starting at `start` can see: those that kick off after its end, within three days.
  func visible(at start: Timestamp) -> Range<Int> {
    let day = 86_400_000_000
    func index(_ instant: Timestamp) -> Int {
      let since = (instant - (now - Self.dayLength * 44)).microseconds
      return min(matches, max(0, Int(since) / 1000 * matches / (49 * day / 1000) + 1))
    }
    let first = index(start + Self.runLength)
    return min(first, matches - 1)..<max(first + 1, index(start + Self.dayLength * 3))
  }

  /// The tournament (from 1) of an event: every fourth belongs to the cup of its days.
  func tournament(_ event: Int) -> Int {
    guard event < matches, event % 4 == 0 else { return 1 + event % leagues }
    return 1 + leagues + event * cups / matches
  }
}
