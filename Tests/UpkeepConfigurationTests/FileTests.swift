import Foundation
import Testing
import UpkeepConfiguration
import UpkeepCore

@Suite struct FileTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  private let loader = ConfigurationLoader(plugins: plugins, environment: [:])

  @Test func startsRelativePathsAtTheFile() throws {
    try withFolder { folder in
      let path = folder + "/u.yaml"
      try Data("databases: {odds: {sqlite: a/b}}".utf8).write(to: URL(fileURLWithPath: path))
      let host = try #require(loader.load(file: path).configuration)
      #expect(host.path == path)
      #expect(host.folder == folder)
      #expect(host.databases.first?.engine == .sqlite(path: folder + "/a/b"))
      #expect(host.state == .path(folder + "/upkeep.sqlite"))
    }
  }

  @Test func saysWhyAFileCannotBeRead() throws {
    try withFolder { folder in
      let missing = loader.load(file: folder + "/none.yaml")
      #expect(
        DiagnosticRenderer(missing.source).render(missing.diagnostics)
          == "\(folder)/none.yaml:1:1: error: there is no such file; `upkeep init` writes one [no_file]\n")
      #expect(
        problems(loader.load(file: folder)) == [
          "\(folder):1:1 [not_a_file] this is a folder; name the YAML file in it"
        ])
    }
  }

  @Test func isLookedForInOrder() {
    let all: (String) -> Bool = { _ in true }
    let variable = ["UPKEEP_CONFIG": "b"]
    #expect(ConfigurationLoader.lookUp(option: "a", environment: variable, exists: all) == "a")
    #expect(ConfigurationLoader.lookUp(option: nil, environment: variable) { _ in false } == "b")
    #expect(ConfigurationLoader.lookUp(option: nil, environment: [:], exists: all) == "config/upkeep.yaml")
    #expect(
      ConfigurationLoader.lookUp(option: nil, environment: ["UPKEEP_CONFIG": ""]) { $0.hasPrefix("/etc") }
        == "/etc/upkeep/upkeep.yaml")
    #expect(ConfigurationLoader.lookUp(option: nil, environment: [:]) { _ in false } == nil)
  }
}
