import Glibc
import Testing
import UpkeepCore
import UpkeepSchedule
import UpkeepTestKit

@testable import TusExpiryPlugin

/// The decision, on both sides of every bound.
@Suite struct ExpiryRuleTests {
  private static let now = ManualWallClock.noon

  private func stamp(_ age: Duration, size: Int64 = 10) -> FileStamp {
    FileStamp(size: size, modified: Self.now - age)
  }

  private func verdict(
    _ sidecar: Sidecar, data: FileStamp? = nil, sidecarAge: Duration = .days(3),
    _ change: (inout TusExpirySettings) -> Void = { _ in }
  ) -> Verdict {
    var settings = TusExpirySettings()
    settings.timeZone = .standard
    change(&settings)
    var rule = ExpiryRule(settings, now: Self.now)
    return rule.verdict(on: FoundUpload(sidecar: sidecar, sidecarStamp: stamp(sidecarAge), data: data))
  }

  private func unfinished(created age: Duration, layout: TusLayout = .node) -> Sidecar {
    Sidecar(layout: layout, size: 1000, created: .instant(Self.now - age))
  }

  private static let hair = Duration.microseconds(1)

  @Test(arguments: [
    (Duration.hours(24) + .minutes(5) + hair, Verdict.goes), (.hours(24) + .minutes(5), .unexpired),
    (.hours(24), .unexpired), (.hours(1), .unexpired), (.hours(-1), .unexpired),
  ])
  func goesBeyondItsAgeAndSlack(age: Duration, expected: Verdict) {
    #expect(verdict(unfinished(created: age), data: stamp(.days(3))) == expected)
  }

  @Test(arguments: [
    (Duration.minutes(5) + hair, Verdict.goes), (.minutes(5), .unexpired), (.zero, .unexpired),
    (.hours(-9), .unexpired),
  ])
  func goesBeyondTheExpiryOfItsSidecar(age: Duration, expected: Verdict) {
    var sidecar = unfinished(created: .days(9), layout: .tuspyserver)
    sidecar.expires = .instant(Self.now - age)
    #expect(verdict(sidecar, data: stamp(.days(3))) == expected)
  }

  @Test(arguments: [
    (Duration.minutes(2) + hair, Verdict.goes), (.minutes(2), .active), (.zero, .active), (.hours(-1), .active),
  ])
  func staysWhileSomethingWasWrittenLately(age: Duration, expected: Verdict) {
    #expect(verdict(unfinished(created: .days(2)), data: stamp(age)) == expected)
  }

  @Test(arguments: [
    (Duration.hours(24) + .minutes(5) + hair, Verdict.goes), (.hours(24) + .minutes(5), .unexpired),
  ])
  func countsFromTheLastByteWhereItIsTold(age: Duration, expected: Verdict) {
    #expect(verdict(unfinished(created: .days(9)), data: stamp(age)) { $0.expireFrom = .activity } == expected)
    var sidecar = unfinished(created: .days(9), layout: .tuspyserver)
    sidecar.expires = .instant(Self.now - .days(8))
    #expect(verdict(sidecar, data: stamp(age)) { $0.expireFrom = .activity } == expected)
    sidecar.expires = .instant(Self.now + .days(1))
    #expect(verdict(sidecar, data: stamp(age)) { $0.expireFrom = .activity } == .unexpired)
  }

  @Test(arguments: [
    (Int64?.some(1000), Int64?.some(10), Int64(999), Verdict.goes), (1000, 10, 1000, .complete),
    (1000, 10, 1001, .complete),
    (1000, 1000, 10, .complete), (1000, 1001, 10, .complete), (1000, nil, 10, .goes), (1000, nil, 1000, .complete),
    (nil, 1000, 1000, .goes), (0, 0, 0, .complete), (0, nil, 0, .complete),
  ])
  func isCompleteWhereEitherSaysSo(size: Int64?, offset: Int64?, bytes: Int64, expected: Verdict) {
    var sidecar = unfinished(created: .days(3))
    (sidecar.size, sidecar.offset) = (size, offset)
    #expect(verdict(sidecar, data: stamp(.days(3), size: bytes)) == expected)
  }

  @Test(arguments: [
    (Duration.days(30) + .minutes(5) + hair, Verdict.goes), (.days(30) + .minutes(5), .complete), (.days(1), .complete),
  ])
  func removesFinishedUploadsOnlyWhereItIsToldTo(age: Duration, expected: Verdict) {
    let sidecar = unfinished(created: .days(90))
    let data = stamp(age, size: 1000)
    #expect(verdict(sidecar, data: data) == .complete)
    #expect(verdict(sidecar, data: data) { ($0.completed, $0.completedAfter) = (.expire, .days(30)) } == expected)
  }

  @Test(arguments: [
    (Duration.hours(24) + .minutes(5) + hair, Verdict.orphan), (.hours(24) + .minutes(5), .unexpired),
  ])
  func removesASidecarWithoutDataAtItsAge(age: Duration, expected: Verdict) {
    #expect(verdict(unfinished(created: .days(9)), sidecarAge: age) == expected)
  }

  @Test func leavesThePartsOfOtherUploadsToTheList() {
    var sidecar = unfinished(created: .days(3))
    sidecar.isPartial = true
    #expect(verdict(sidecar, data: stamp(.days(3), size: 1000)) == .goesUnlessListed)
    #expect(verdict(sidecar, data: stamp(.days(3), size: 10)) == .goes)
    sidecar.created = .instant(Self.now)
    #expect(verdict(sidecar, data: stamp(.days(3), size: 1000)) == .unexpired)
  }

  @Test func takesTheFilesTimesWhereADateCantBeRead() {
    var sidecar = unfinished(created: .days(9), layout: .tuspyserver)
    sidecar.expires = .unreadable
    #expect(verdict(sidecar, data: stamp(.days(3))) == .goes)
    #expect(verdict(sidecar, data: stamp(.hours(3))) == .unexpired)
    #expect(verdict(sidecar, data: stamp(.days(3)), sidecarAge: .hours(3)) == .unexpired)
    sidecar.expires = .none
    sidecar.created = .unreadable
    #expect(verdict(sidecar, data: stamp(.hours(3))) == .unexpired)
  }

  /// tusd keeps no times: its sidecar is written once.
  @Test func takesTheSidecarsTimeForItsCreation() {
    let sidecar = Sidecar(layout: .tusd, size: 1000)
    #expect(verdict(sidecar, data: stamp(.hours(3)), sidecarAge: .days(3)) == .goes)
    #expect(verdict(sidecar, data: stamp(.days(3)), sidecarAge: .hours(3)) == .unexpired)
    #expect(verdict(sidecar, data: stamp(.hours(3)), sidecarAge: .days(3)) { $0.expireFrom = .activity } == .unexpired)
  }

  @Test(arguments: [
    // 12:00 UTC is 07:00 in New York, 14:00 in Riga.
    ("America/New_York", Duration.hours(5) + .minutes(5) + hair, Verdict.goes),
    ("America/New_York", .hours(5) + .minutes(5), .unexpired),
    ("Europe/Riga", .hours(-2) + .minutes(5) + hair, .goes), ("Europe/Riga", .hours(-2) + .minutes(5), .unexpired),
    ("UTC", .minutes(5) + hair, .goes), ("UTC", .minutes(5), .unexpired),
  ])
  func readsNaiveTimesInTheServersZone(zone: String, age: Duration, expected: Verdict) {
    var sidecar = unfinished(created: .days(9), layout: .tuspyserver)
    sidecar.expires = .local((Self.now - age).microseconds)
    #expect(verdict(sidecar, data: stamp(.days(3))) { $0.timeZone = ZoneText(name: zone) } == expected)
  }
}

extension FileStamp {
  /// A regular file that isn't there.
  fileprivate init(size: Int64, modified: Timestamp) {
    var status = stat()
    status.st_mode = S_IFREG
    status.st_nlink = 1
    status.st_size = Int(size)
    status.st_mtim.tv_sec = Int(modified.seconds)
    status.st_mtim.tv_nsec = Int(modified.microseconds - modified.seconds * 1_000_000) * 1000
    self.init(status)
  }
}
