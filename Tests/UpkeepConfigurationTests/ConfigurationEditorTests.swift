import Foundation
import Synchronization
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepConfiguration

/// A folder with a configuration file that is edited; gone with the value.
private final class Desk: Sendable {
  static let yaml = "tasks:\n  noop:\n    interval: 1h # every hour\n"

  let folder: String
  var path: String { folder + "/u.yaml" }

  init(_ yaml: String = Desk.yaml) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "upkeep-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try write(yaml)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  func write(_ text: String, to name: String = "u.yaml") throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
  }

  func text(_ name: String = "u.yaml") throws -> String {
    try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
  }

  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }
  }

  func attributes(_ name: String = "u.yaml") throws -> stat {
    var status = stat()
    try #require(lstat("\(folder)/\(name)", &status) == 0)
    return status
  }

  func editor(_ name: String = "u.yaml", clock: any Clock<Duration> = ContinuousClock()) -> ConfigurationEditor {
    ConfigurationEditor(
      path: "\(folder)/\(name)", loader: ConfigurationLoader(plugins: plugins, environment: [:]), clock: clock)
  }
}

private let edit = ConfigurationEdit(task: "noop", key: "interval", value: "2h")
private let edited = "tasks:\n  noop:\n    interval: 2h # every hour\n"

private struct Crash: Error {}

@Suite struct ConfigurationEditorTests {
  @Test func replacesTheFileAndKeepsItsOwnerAndMode() async throws {
    let desk = try Desk()
    try #require(chmod(desk.path, 0o640) == 0)
    if geteuid() == 0 { try #require(chown(desk.path, 1234, 4321) == 0) }
    let before = try desk.attributes()
    let result = try await desk.editor().edit([edit], expecting: nil, scope: .all)
    #expect(try desk.text() == edited)
    let after = try desk.attributes()
    #expect(after.st_mode & 0o7777 == 0o640)
    #expect([after.st_uid, after.st_gid] == [before.st_uid, before.st_gid])
    #expect(after.st_ino != before.st_ino)
    #expect(try desk.names == ["u.yaml"])
    #expect(result.changes.map(\.text) == ["noop: interval: 1h → 2h"])
    #expect(result.previousHash == ContentHash.of(Array(Desk.yaml.utf8)))
    #expect(result.hash == ContentHash.of(Array(edited.utf8)))
    #expect(try await desk.editor().hash() == result.hash)
  }

  @Test func writesNothingWhereNothingChanges() async throws {
    let desk = try Desk()
    let before = try desk.attributes()
    let same = ConfigurationEdit(task: "noop", key: "interval", value: "60m")
    let result = try await desk.editor().edit([same], expecting: nil, scope: .all)
    #expect(result.hash == result.previousHash)
    #expect(try desk.attributes().st_ino == before.st_ino)
  }

  @Test func saysWhatIsWrongWithAFileThatSomebodyBroke() async throws {
    let desk = try Desk()
    let hash = try await desk.editor().hash()
    let broken = "tasks:\n  noop:\n    intervall: 1h\n"
    try desk.write(broken)
    for expected in [hash, ContentHash.of(Array(broken.utf8)), nil] {
      let refusal = await #expect(throws: EditRefusal.self) {
        try await desk.editor().edit([edit], expecting: expected, scope: .tunable)
      }
      #expect(
        refusal?.message == "\(desk.path) isn't valid as it stands, so nothing was changed: line 3, column 5: "
          + "unknown key intervall; did you mean interval?; mend the file first, and repeat")
    }
    #expect(try desk.text() == broken)
  }

  @Test func editsWhatALinkNamesAndKeepsTheLink() async throws {
    let desk = try Desk()
    try FileManager.default.createDirectory(atPath: desk.folder + "/real", withIntermediateDirectories: true)
    try desk.write(Desk.yaml, to: "real/target.yaml")
    try #require(unlink(desk.path) == 0)
    try #require(symlink("second.yaml", desk.path) == 0)
    try #require(symlink("real/target.yaml", desk.folder + "/second.yaml") == 0)
    _ = try await desk.editor().edit([edit], expecting: nil, scope: .all)
    #expect(try desk.text("real/target.yaml") == edited)
    #expect(try desk.attributes().st_mode & S_IFMT == S_IFLNK)
    #expect(try desk.attributes("second.yaml").st_mode & S_IFMT == S_IFLNK)
    #expect(try FileManager.default.contentsOfDirectory(atPath: desk.folder + "/real") == ["target.yaml"])
  }

  @Test func refusesAFileThatIsNotTheExpectedOne() async throws {
    let desk = try Desk()
    let hash = try await desk.editor().hash()
    let other = Desk.yaml.replacing("every", with: "each")
    try desk.write(other)
    await #expect(
      throws: EditRefusal.changedMeanwhile(expected: hash, found: ContentHash.of(Array(other.utf8)))
    ) { try await desk.editor().edit([edit], expecting: hash, scope: .all) }
    #expect(try desk.text() == other)
  }

  @Test func noticesAChangeWhileItWrites() async throws {
    let desk = try Desk()
    let other = Desk.yaml.replacing("every", with: "each")
    var editor = desk.editor()
    editor.file.reached = { moment in
      if moment == .synced { try desk.write(other) }
    }
    let (before, after) = (ContentHash.of(Array(Desk.yaml.utf8)), ContentHash.of(Array(other.utf8)))
    await #expect(throws: EditRefusal.changedMeanwhile(expected: before, found: after)) {
      try await editor.edit([edit], expecting: nil, scope: .all)
    }
    #expect(try desk.text() == other)
    #expect(try desk.names == ["u.yaml"])
  }

  @Test(arguments: ConfigurationFile.Moment.allCases)
  func leavesTheOldFileOrTheNewOneWhereItBreaksOff(_ moment: ConfigurationFile.Moment) async throws {
    let desk = try Desk()
    var editor = desk.editor()
    editor.file.reached = { if $0 == moment { throw Crash() } }
    await #expect(throws: EditRefusal.self) { try await editor.edit([edit], expecting: nil, scope: .all) }
    #expect(try desk.text() == (moment == .renamed ? edited : Desk.yaml))
    // What is left over is in nobody's way, and goes with the next edit.
    #expect(try desk.names.count == (moment == .renamed ? 1 : 2))
    let next = ConfigurationEdit(task: "noop", key: "interval", value: "3h")
    _ = try await desk.editor().edit([next], expecting: nil, scope: .all)
    #expect(try desk.text() == edited.replacing("2h", with: "3h"))
    #expect(try desk.names == ["u.yaml"])
  }

  @Test func losesNoneOfManyEditsAtOnce() async throws {
    let keys = (0..<20).map { "limits.k\($0)" }
    let desk = try Desk(
      "databases: { odds: { sqlite: x } }\ntasks:\n  odds_retention:\n    settings:\n      database: odds\n"
        + "      limits:\n        sync: 60s\n")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for key in keys {
        group.addTask {
          let edit = ConfigurationEdit(task: "odds_retention", key: key, value: "5m")
          // However slow the machine is: it is no test of patience.
          var editor = desk.editor()
          editor.patience = .seconds(3600)
          _ = try await editor.edit([edit], expecting: nil, scope: .all)
        }
      }
      try await group.waitForAll()
    }
    let text = try desk.text()
    for key in keys { #expect(text.contains("\n        \(key.dropFirst(7)): 5m\n"), "\(key)") }
  }

  @Test func saysWhatKeepsItFromWriting() async throws {
    let desk = try Desk()
    func problem(_ name: String) async -> TaskError? {
      do throws(EditRefusal) {
        _ = try await desk.editor(name).edit([edit], expecting: nil, scope: .all)
        return nil
      } catch {
        if case .unwritable(let error) = error { return error }
        return nil
      }
    }
    try FileManager.default.createDirectory(atPath: desk.folder + "/folder", withIntermediateDirectories: true)
    #expect(
      await problem("folder")?.description
        == "\(desk.folder)/folder: it isn't a plain file; name the YAML file itself")
  }

  @Test func waitsForAnotherWriterAndGivesUp() async throws {
    let desk = try Desk()
    let clock = ManualClock()
    let other = try #require(try ConfigurationFile(path: desk.path).lock())
    let outcome = await clock.racing { () -> EditRefusal? in
      do throws(EditRefusal) {
        _ = try await desk.editor(clock: clock).edit([edit], expecting: nil, scope: .all)
        return nil
      } catch {
        return error
      }
    }
    #expect(
      outcome
        == .unwritable(
          TaskError(
            code: "locked_file", place: desk.path, problem: "another edit holds its folder's lock",
            fix: "wait for it, and repeat")))
    withExtendedLifetime(other) {}
    #expect(try desk.text() == Desk.yaml)
  }

  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (String(repeating: "a", count: 1_000), "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
  ])
  func hashesAsTheStandardSays(_ text: String, _ hash: String) {
    #expect(ContentHash.of(Array(text.utf8)) == hash)
  }
}
