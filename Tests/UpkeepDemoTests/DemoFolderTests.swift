import Foundation
import Testing
import UpkeepCore
import UpkeepDemo
import UpkeepTestKit

/// What a demo that can't be made leaves.
@Suite struct DemoFolderTests {
  private let place: TemporaryFolder

  init() throws {
    place = try TemporaryFolder()
  }

  /// A demo whose server nobody answers for.
  private func fail(in folder: String) async {
    let demo = DemoFolder(folder: folder, server: "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    await #expect(throws: TaskError.self) { try await demo.make(scale: 0.001, now: ManualWallClock.noon) }
  }

  @Test func leavesNoFolderThatItMade() async throws {
    await fail(in: place.file("demo"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == [])
  }

  /// So that the same command can be given again.
  @Test func leavesAnEmptyFolderEmpty() async throws {
    await fail(in: place.path)
    #expect(try DemoFolder(folder: place.path).isFree())
  }

  /// What appears there meanwhile isn't the demo's.
  @Test func takesNothingThatItDidNotMake() async throws {
    try Data("mine".utf8).write(to: URL(filePath: place.file("mine.txt")))
    await fail(in: place.path)
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == ["mine.txt"])
  }
}
