import Testing
import UpkeepCore
import UpkeepDatabase

@testable import UpkeepPurge

struct BatchGovernorTests {
  /// A batch with everything done.
  private func note(_ governor: inout BatchGovernor, hold: Duration, rows: Int) -> Duration {
    governor.note(hold: hold, commit: .zero, rows: rows, isCut: false)
  }

  @Test func growsAtMostTwofoldAndShrinksAtMostToAQuarter() {
    var governor = BatchGovernor()
    #expect(governor.size == 50)
    _ = note(&governor, hold: .microseconds(1), rows: 50)
    #expect(governor.size == 100)
    _ = note(&governor, hold: .seconds(1), rows: 100)
    #expect(governor.size == 25)
  }

  @Test func staysWithinItsBounds() {
    var governor = BatchGovernor()
    for _ in 0..<40 { _ = note(&governor, hold: .microseconds(1), rows: governor.size) }
    #expect(governor.size == 20_000)
    for _ in 0..<40 { _ = note(&governor, hold: .seconds(9), rows: governor.size) }
    #expect(governor.size == 8)
  }

  /// Of a hundred numbers one row stays: the ninety-nine that went must not keep the next batch from growing.
  @Test func growsAfterABatchInWhichSomeRowsStayed() {
    var governor = BatchGovernor()
    for _ in 0..<4 { _ = note(&governor, hold: .milliseconds(1), rows: governor.size - 1) }
    #expect(governor.size == 800)
  }

  /// A writer with a queue commits again after a while of its own: a pause isn't over before twice that.
  @Test func waitsForTheNextCommitAsLongAsTheWritersTake() {
    var governor = BatchGovernor()
    #expect(governor.lull == .microseconds(300))
    governor.note(gap: .microseconds(100))
    #expect(governor.lull == .microseconds(300))
    for _ in 0..<60 { governor.note(gap: .microseconds(350)) }
    #expect(abs(governor.lull.inSeconds - 0.0007) < 0.000_01)
    for _ in 0..<60 { governor.note(gap: .milliseconds(900)) }
    #expect(governor.lull == .milliseconds(1))
  }

  @Test func goesOnAtThePaceOfAnEarlierWalk() {
    var governor = BatchGovernor()
    for _ in 0..<4 { _ = note(&governor, hold: .milliseconds(1), rows: governor.size) }
    let pace = governor.pace
    governor.beginWalk()
    #expect(governor.size == 50)
    governor.beginWalk(at: pace)
    #expect(governor.size == 800)
  }

  @Test func listensForWritersNowAndThenWhileNobodyWrites() {
    var governor = BatchGovernor()
    governor.note(version: 1, after: .zero)
    governor.note(version: 1, after: .milliseconds(300))
    let hold = Duration.milliseconds(30)
    #expect((0..<3).map { _ in note(&governor, hold: hold, rows: 50) } == [.zero, .zero, .zero])
    #expect(note(&governor, hold: hold, rows: 50) == BatchGovernor.pause(after: hold))
    #expect(note(&governor, hold: hold, rows: 50) == .zero)
  }

  /// Twice what the log may take must be free, or what the file has: the log of a small one never has more. One that can't
  /// be looked at may be large.
  @Test func wantsNoMoreOfTheDiskThanTheLogCanTake() {
    let (bounds, most) = (PurgeBounds(), 100_663_296)
    #expect(bounds.disk(besideFile: nil) == most)
    #expect(bounds.disk(besideFile: most * 1000) == most)
    #expect(bounds.disk(besideFile: most) == most)
    #expect(bounds.disk(besideFile: most - 1) == most - 1)
    #expect(bounds.disk(besideFile: 5_000_000) == 5_000_000)
    #expect(bounds.disk(besideFile: 4096) == 1_048_576)
  }

  /// A sixteenth of the time for which nobody has written, within bounds: what a writer waits for the lock stays small
  /// beside how often it comes.
  @Test(arguments: [(0.3, 32.5), (0.8, 50.0), (1.2, 75.0), (60.0, 77.0)])
  func holdsForLongerTheLongerNobodyHasWritten(quiet: Double, hold: Double) {
    var governor = BatchGovernor()
    governor.note(version: 1, after: .zero)
    governor.note(version: 1, after: .seconds(quiet))
    #expect(abs(governor.target.inSeconds * 1000 - hold) < 0.001)
    governor.note(version: 2, after: .milliseconds(1))
    #expect(governor.target == .microseconds(7400))
  }

  @Test(arguments: [(0.4, 4), (1.6, 7), (9.0, 14)])
  func listensSeldomerTheLongerNobodyHasWritten(quiet: Double, batches: Int) {
    var governor = BatchGovernor()
    governor.note(version: 1, after: .zero)
    governor.note(version: 1, after: .seconds(quiet))
    let pauses = (0..<batches).map { _ in note(&governor, hold: .milliseconds(30), rows: 50) }
    #expect(pauses.dropLast().allSatisfy { $0 == .zero })
    #expect(pauses.last == BatchGovernor.pause(after: .milliseconds(30)))
  }

  @Test func waitsLongerForAWriterThatCommittedInMostPauses() {
    var governor = BatchGovernor()
    #expect(governor.patience == .zero)
    for _ in 0..<4 { governor.note(committed: true) }
    #expect(governor.patience == .zero)
    governor.note(committed: true)
    #expect(governor.patience == .milliseconds(25))
    governor.note(committed: false)
    #expect(governor.patience == .zero)
  }

  @Test func asksForALittleMoreThanFitted() {
    var governor = BatchGovernor()
    _ = governor.note(hold: .milliseconds(7), commit: .milliseconds(1), rows: 800, isCut: true)
    #expect(governor.size == 1000)
    #expect(governor.partSize == 62)
  }

  /// 7.4 ms for statements and commit: a commit of 10 µs a row leaves 6.4 ms for the statements of 100 rows.
  @Test func endsABatchWhereItsCommitWouldComeTooLate() {
    var governor = BatchGovernor()
    #expect(!governor.isFull(after: .milliseconds(6), rows: 100, next: .microseconds(1400)))
    #expect(governor.isFull(after: .milliseconds(6), rows: 100, next: .microseconds(1401)))
    _ = governor.note(hold: .milliseconds(7), commit: .milliseconds(1), rows: 100, isCut: true)
    #expect(!governor.isFull(after: .milliseconds(5), rows: 100, next: .microseconds(1399)))
    #expect(governor.isFull(after: .milliseconds(5), rows: 100, next: .microseconds(1401)))
    governor.note(version: 1, after: .zero)
    governor.note(version: 1, after: .seconds(1))
    #expect(!governor.isFull(after: .milliseconds(30), rows: 100, next: .milliseconds(1)), "nobody else writes")
  }

  @Test func beginsEachWalkWithSmallBatches() {
    var governor = BatchGovernor()
    for _ in 0..<40 { _ = note(&governor, hold: .microseconds(1), rows: governor.size) }
    governor.beginWalk()
    #expect(governor.size == 50)
  }

  @Test func pausesOnlyWhileOthersWrite() {
    var governor = BatchGovernor()
    governor.note(version: 1, after: .zero)
    #expect(note(&governor, hold: .milliseconds(7), rows: 50) == BatchGovernor.pause(after: .milliseconds(7)))
    governor.note(version: 1, after: .milliseconds(249))
    #expect(governor.othersWrite)
    governor.note(version: 1, after: .milliseconds(1))
    #expect(!governor.othersWrite)
    #expect(note(&governor, hold: .milliseconds(7), rows: 50) == .zero)
    governor.note(version: 2, after: .milliseconds(1))
    #expect(note(&governor, hold: .milliseconds(7), rows: 50) == BatchGovernor.pause(after: .milliseconds(7)))
  }

  /// A writer looks 1, 3, 8, 18, 33, 53, 78 and 103 ms after it found the lock taken.
  @Test(arguments: [200, 900, 1000, 2500, 3000, 5000, 7900, 8000, 9000, 17_000, 30_000, 52_000, 77_000, 84_000])
  func pausesUntilEveryWaitingWriterHasLooked(hold: Int64) {
    let pause = BatchGovernor.pause(after: .microseconds(hold)).microseconds
    for arrival in stride(from: 0, to: hold, by: 10) {
      let looks = BatchGovernor.looks.map { arrival + $0.microseconds }
      #expect(looks.contains { $0 >= hold && $0 < hold + pause }, "a writer that came \(arrival) µs into a hold")
    }
    #expect(pause <= 25_500)
  }

  private func log(_ frames: Int) -> LogState {
    LogState(frames: frames, checkpointed: 0, pageSize: 4096)
  }

  @Test func checkpointsInTheBackgroundAfterNearlyEachBatchWhileOthersWrite() {
    var governor = BatchGovernor()
    #expect(!governor.wantsCheckpoint(log(255)))
    #expect(governor.wantsCheckpoint(log(256)))
    governor.note(version: 1, after: .zero)
    governor.note(version: 1, after: .seconds(1))
    #expect(!governor.wantsCheckpoint(log(4999)))
    #expect(governor.wantsCheckpoint(log(5000)))
    #expect(!governor.wantsNewLog(log(9999), batch: 400))
    #expect(governor.wantsNewLog(log(10_000), batch: 400))
  }

  @Test func beginsTheLogAnewBeforeItIsLarge() {
    let governor = BatchGovernor()
    #expect(!governor.wantsNewLog(log(7999), batch: 100))
    #expect(governor.wantsNewLog(log(8000), batch: 100))
    #expect(!governor.wantsNewLog(log(8799), batch: 1100))
    #expect(governor.wantsNewLog(log(8800), batch: 1100))
    #expect(governor.wantsNewLog(log(10_000), batch: 5000))
  }

  @Test func triesAgainWhenALogThatSomebodyKeptHasGrownALittle() {
    var governor = BatchGovernor()
    governor.note(log: log(8500))
    #expect(!governor.wantsNewLog(log(12_499), batch: 100))
    #expect(governor.wantsNewLog(log(12_500), batch: 100))
    #expect(governor.wantsNewLog(log(8400), batch: 100), "it was begun anew meanwhile")
    governor.note(log: nil)
    #expect(governor.wantsNewLog(log(8500), batch: 100))
  }
}
