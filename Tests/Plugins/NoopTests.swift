import NoopPlugin
import Testing
import UpkeepCore
import UpkeepTestKit

@Suite struct NoopTests {
  let plugin = Plugin("noop", NoopTask.self, NoopTask.documentation)

  private func settings(_ values: [String: JSONValue]) -> PreparedTask {
    plugin.prepare(.test(.object(values)), .standard, SettingScope(folder: "/", databases: nil)).task
  }

  @Test func itsDefaultsTakeNoTimeAndDoNotFail() async throws {
    let journal = RunJournal()
    try await settings([:]).run(.test(journal: journal))
    #expect(journal.current.counts.isEmpty)
    #expect(settings([:]).settings == ["duration": .string("0s"), "fail": .boolean(false)])
  }

  @Test func itTakesTheSetDurationAndReportsItsProgress() async throws {
    let clock = ManualClock()
    let journal = RunJournal()
    let task = settings(["duration": .string("100s")])
    let run = Task { try await task.run(.test(clock: clock, journal: journal)) }
    for second in 0..<100 {
      await clock.untilSomebodySleeps(for: .seconds(1))
      #expect(journal.current.progress.percent == Double(second))
      clock.advance(by: .seconds(1))
    }
    try await run.value
    #expect(clock.now.offset == .seconds(100))
    #expect(journal.current.progress.message == "Doing nothing for 1s more")
  }

  @Test func itFailsAtItsEndWhereItIsToldTo() async {
    let error = await #expect(throws: TaskError.self) { try await settings(["fail": .boolean(true)]).run(.test()) }
    #expect(error?.description == "task test: it was told to fail; set settings.fail to false")
  }

  @Test func itsPreviewSaysThatNothingWouldChange() async throws {
    let journal = RunJournal()
    try await settings([:]).preview?(.test(mode: .preview, journal: journal))
    #expect(journal.current.progress.message == "Nothing would change")
  }
}
