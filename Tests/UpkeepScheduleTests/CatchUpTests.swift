import Foundation
import Testing
import UpkeepCore
import UpkeepSchedule
import UpkeepTestKit

/// What becomes of slots that passed.
@Suite struct CatchUpTests {
  private static let start = Timestamp(microseconds: 1_764_000_000_000_000)
  private static let minutely = Schedule.interval(.seconds(60))

  /// `run`, `late` or why not, first and last slot in seconds from the start, how many.
  private func told(
    _ schedule: Schedule = minutely, after seconds: Double, _ missed: MissedRule, grace: Int? = nil,
    jitter: Jitter? = nil
  ) -> [String] {
    let now = Self.start + .milliseconds(Int(seconds * 1000))
    let plan = schedule.catchUp(
      after: Self.start, now: now, missed: missed, grace: grace.map { .seconds($0) }, jitter: jitter)
    return plan.entries.map { entry in
      let what = entry.missed?.rawValue ?? (entry.isLate ? "late" : "run")
      let bounds = [entry.first, entry.last].map { Int(($0 - Self.start).inSeconds) }
      return "\(what) \(bounds[0])-\(bounds[1]) \(entry.count)"
    }
  }

  @Test(arguments: MissedRule.allCases)
  func aSlotOnTimeRunsUnderEveryRule(_ rule: MissedRule) {
    #expect(told(after: 59.999, rule).isEmpty)
    #expect(told(after: 60, rule) == ["run 60-60 1"])
    #expect(told(after: 119.999, rule) == ["run 60-60 1"])
  }

  @Test func oneRunStandsForAllSlots() {
    #expect(told(after: 600, .runOnce) == ["late 60-600 10"])
    #expect(told(after: 30 * 86_400, .runOnce) == ["late 60-2592000 43200"])
  }

  @Test func skippedSlotsAreOneRecordAndTheOneOnTimeRuns() {
    #expect(told(after: 600, .skip) == ["skip 60-540 9", "run 600-600 1"])
    let hourly = Schedule.interval(.seconds(3600))
    #expect(told(hourly, after: 7260, .skip) == ["skip 3600-3600 1", "run 7200-7200 1"])
    #expect(told(hourly, after: 7260.001, .skip) == ["skip 3600-7200 2"])
    #expect(told(hourly, after: 3661, .skip) == ["skip 3600-3600 1"])
  }

  @Test func atMostTheHundredNewestRun() {
    #expect(told(after: 180, .runAll) == ["late 60-60 1", "late 120-120 1", "run 180-180 1"])
    #expect(told(after: 6000, .runAll).count == 100)
    #expect(told(after: 6000, .runAll).first == "late 60-60 1")
    let more = told(after: 6060, .runAll)
    #expect(more.count == 101)
    #expect(more.prefix(2) == ["limit 60-60 1", "late 120-120 1"])
    #expect(told(after: 30 * 86_400, .runAll).first == "limit 60-2586000 43100")
  }

  @Test(arguments: MissedRule.allCases)
  func aCatchUpOlderThanItsGraceIsMissed(_ rule: MissedRule) {
    let hourly = Schedule.interval(.seconds(3600))
    #expect(told(hourly, after: 7200 + 1800.001, rule, grace: 1800) == ["grace 3600-7200 2"])
    #expect(
      told(hourly, after: 7200 + 1800, rule, grace: 1800).last
        == (rule == .skip ? "skip 3600-7200 2" : rule == .runOnce ? "late 3600-7200 2" : "late 7200-7200 1"))
    // A grace of less than a minute shortens what counts as on time.
    #expect(told(hourly, after: 3610, rule, grace: 10) == ["run 3600-3600 1"])
    #expect(told(hourly, after: 3611, rule, grace: 10) == ["grace 3600-3600 1"])
  }

  @Test func tenYearsOfEverySecondAreCounted() {
    #expect(told(.interval(.seconds(1)), after: 315_576_000, .runOnce) == ["late 1-315576000 315576000"])
    #expect(told(.interval(.seconds(1)), after: 315_576_000, .runAll).first == "limit 1-315575900 315575900")
    #expect(
      told(.interval(.seconds(1)), after: 315_576_000, .skip) == [
        "skip 1-315575999 315575999", "run 315576000-315576000 1",
      ])
  }

  @Test func tenYearsOfEveryMinuteOfACronAreCounted() throws {
    let zone = try #require(ZoneName.zone("Europe/Riga"))
    let schedule = Schedule.cron(try CronExpression("* * * * *"), zone: zone)
    #expect(told(schedule, after: 315_576_000, .runOnce) == ["late 60-315576000 5259600"])
    // Twice a day, over ten gaps and ten repeated hours.
    let daily = Schedule.cron(try CronExpression("30 3,15 * * *"), zone: zone)
    #expect(told(daily, after: 3650 * 86_400, .runOnce).first?.hasSuffix(" 7300") == true)
  }

  @Test func nothingIsDueBeforeTheStart() {
    #expect(told(after: -1_000_000, .runAll).isEmpty)
    #expect(told(after: 0, .runAll).isEmpty)
  }

  @Test func aSlotHasNotComeBeforeItsJitterIsOver() {
    let jitter = Jitter(upTo: .seconds(50), host: "box-1", task: "tidy")
    let delay = jitter.delay(of: Self.start, in: Self.minutely)
    #expect(delay > .seconds(2) && delay < .seconds(50))
    let seconds = delay.inSeconds
    #expect(told(after: 60 + seconds - 0.001, .runOnce, jitter: jitter).isEmpty)
    #expect(told(after: 60 + seconds, .runOnce, jitter: jitter) == ["run 60-60 1"])
    #expect(told(after: 120 + seconds - 0.001, .runOnce, jitter: jitter) == ["run 60-60 1"])
    #expect(told(after: 120 + seconds, .runOnce, jitter: jitter) == ["late 60-120 2"])
    #expect(told(after: 120 + seconds, .skip, jitter: jitter) == ["skip 60-60 1", "run 120-120 1"])
    // Grace counts from the end of the jitter, or a long jitter would never let a task run.
    #expect(told(after: 60 + seconds, .runOnce, grace: 1, jitter: jitter) == ["run 60-60 1"])
  }

  @Test func everySlotIsCoveredOnceWhateverTheRule() throws {
    let random = SeededRandom(seed: 5)
    let texts = ["*/7 * * * *", "15 3 * * *", "0 */6 * * 1-5", "30 * L * *", "5,10,50 2-3 * * *"]
    let zones = try ["Europe/Riga", "Australia/Lord_Howe", "UTC"].map { try #require(ZoneName.zone($0)) }
    for _ in 0..<600 {
      let (text, zone) = (texts[Int(random.next() % 5)], zones[Int(random.next() % 3)])
      let schedule = Schedule.cron(try CronExpression(text), zone: zone)
      let start = Self.start + .seconds(Int64(random.next() % 31_557_600))
      let now = start + .seconds(Int64(random.next() % 172_800))
      let rule = MissedRule.allCases[Int(random.next() % 3)]
      var expected: [Timestamp] = []
      var slot = start
      while let next = schedule.next(after: slot), next <= now {
        expected.append(next)
        slot = next
      }
      let entries = schedule.catchUp(after: start, now: now, missed: rule).entries
      #expect(entries.reduce(0) { $0 + $1.count } == expected.count)
      var rest = expected[...]
      for entry in entries {
        let covered = rest.prefix(entry.count)
        #expect(entry.first == covered.first && entry.last == covered.last)
        rest = rest.dropFirst(entry.count)
      }
    }
  }
}

@Suite struct JitterTests {
  private let slot = Timestamp(microseconds: 1_764_000_000_000_000)

  private func delay(_ host: String, _ task: String, upTo longest: Duration = .seconds(600)) -> Int {
    Jitter(upTo: longest, host: host, task: task).delay(of: slot, in: .interval(.seconds(86_400))).milliseconds
  }

  @Test func isTheSameForTheSameHostAndTask() {
    // Written down, so that an update of the program doesn't move everybody's tasks.
    #expect(delay("box-1", "tidy") == 105_254)
    #expect(delay("box-1", "tidy") == delay("box-1", "tidy"))
    let later = Jitter(upTo: .seconds(600), host: "box-1", task: "tidy")
      .delay(of: slot + .seconds(12_345), in: .interval(.seconds(86_400)))
    #expect(later.milliseconds == delay("box-1", "tidy"))
  }

  @Test func differsByHostAndByTask() {
    #expect(delay("box-1", "tidy") != delay("box-2", "tidy"))
    #expect(delay("box-1", "tidy") != delay("box-1", "tidy2"))
    #expect(delay("box-1a", "b") != delay("box-1", "ab"))
  }

  @Test func spreadsHostsEvenlyBelowTheLongest() {
    var tenths = Array(repeating: 0, count: 10)
    for number in 0..<2000 { tenths[delay("host-\(number)", "tidy") / 60_000] += 1 }
    #expect(tenths.allSatisfy { $0 > 140 && $0 < 260 }, "\(tenths)")
  }

  @Test func isNoneWhereNoneIsWanted() {
    #expect(delay("box-1", "tidy", upTo: .zero) == 0)
  }

  @Test func endsBeforeTheNextSlot() throws {
    let schedule = Schedule.cron(try CronExpression("0,1 3 * * *"), zone: .gmt)
    for number in 0..<200 {
      let jitter = Jitter(upTo: .seconds(7200), host: "host-\(number)", task: "tidy")
      var slot = slot
      for _ in 0..<4 {
        let next = try #require(schedule.next(after: slot))
        #expect(slot + jitter.delay(of: slot, in: schedule) < next || slot == self.slot)
        slot = next
      }
    }
  }
}
