import Testing
import UpkeepCore
import UpkeepTestKit

/// A clock that sleeps in pieces.
@Suite struct SlicedClockTests {
  @Test func sleepsAsLongInPieces() async throws {
    let base = SleepRecordingClock()
    let clock = SlicedClock(base, longest: .milliseconds(10))
    let elapsed = clock.stopwatch()
    try await clock.sleep(for: .milliseconds(45))
    #expect(elapsed() >= .milliseconds(45))
    #expect(base.longest > .zero && base.longest <= .milliseconds(10))
  }

  @Test func endsAtOnceWhereItIsCancelled() async {
    let clock = SlicedClock(ManualClock(), longest: .seconds(15))
    let sleeper = Task { try await clock.sleep(for: .seconds(3600)) }
    sleeper.cancel()
    await #expect(throws: CancellationError.self) { try await sleeper.value }
  }
}
