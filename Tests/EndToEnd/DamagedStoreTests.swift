import Foundation
import Testing

/// A state store whose file is damaged: what is said of it is about the store, not about any database.
@Suite struct DamagedStoreTests {
  private static let advice =
    "run history, pauses and the last slot of each schedule are kept in this file: if host.state is right, stop serve and "
    + "put a back-up in its place, or move it away (with its -wal and -shm) and begin anew without them"

  @Test(arguments: [("upkeep.sqlite", 0), ("upkeep.sqlite", 4096), ("kept", 0)])
  func saysWhatIsInItAndWhatToDo(state: String, intact: Int) async throws {
    let place = try Workplace(
      """
      version: 1
      host: { state: \(state) }
      databases: { kept: { sqlite: upkeep.sqlite } }
      tasks: { nap: { plugin: noop } }
      """)
    try place.write("", to: "upkeep.sqlite")
    _ = try await place.run("run", "nap")
    let store = try place.bytes("upkeep.sqlite")
    try #require(store.count > 8192)
    // A log that is left would be brought into the file.
    for end in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: place.path("upkeep.sqlite\(end)")) }
    let damaged = store.prefix(intact) + Data(repeating: 0x55, count: store.count - intact)
    try damaged.write(to: place.folder.appending(path: "upkeep.sqlite"))
    let file = "\(state == "kept" ? "kept" : "state") (\(place.path("upkeep.sqlite")))"
    for command in [["history"], ["run", "nap"], ["serve"]] {
      let outcome = try await place.start(command).outcome()
      #expect(outcome.status == 1, "\(command)")
      let said = (outcome.output + outcome.errors).replacing("\n", with: " ")
      #expect(said.contains("database \(file): this is no SQLite database, or it is damaged ("), "\(command): \(said)")
      #expect(said.contains("); \(Self.advice)"), "\(command): \(said)")
    }
    #expect(try place.bytes("upkeep.sqlite") == damaged)
  }
}
