import Foundation
import Testing
import UpkeepCore

@testable import UpkeepHost

/// Who may use the HTTP API, and when it isn't served at all.
@Suite struct WebAccessTests {
  private func host(_ lines: String, token: String? = nil) throws -> UpkeepHost.Host {
    let folder = FileManager.default.temporaryDirectory.appending(path: "upkeep-access-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let yaml = folder.appending(path: "upkeep.yaml")
    try Data("version: 1\nhost:\n\(lines)\ntasks: {}\n".utf8).write(to: yaml)
    if let token { try Data(token.utf8).write(to: folder.appending(path: "token")) }
    let host = try UpkeepHost.Host.load(yaml.path, environment: [:])
    // The rules read the file at once.
    _ = try host.accessRules(environment: [:])
    return host
  }

  @Test(arguments: ["127.0.0.1:0", "localhost:1", "\"[::1]:1\"", "127.9.9.9:1"])
  func thisMachineNeedsNoToken(_ listen: String) throws {
    _ = try host("  listen: \(listen)")
  }

  @Test(arguments: ["0.0.0.0:1", "\"[::]:1\"", "10.0.0.1:1", "127.example.org:1", "127.0.0:1", "128.0.0.1:1"])
  func othersNeedOne(_ listen: String) throws {
    let problem = #expect(throws: ConfigurationFailure.self) { try host("  listen: \(listen)") }
    #expect(problem?.diagnostics.map(\.code) == ["no_token"])
    _ = try host("  listen: \(listen)\n  token_file: token", token: "s3cret\n")
  }

  @Test(arguments: [
    ("", "the token is empty"), (" \n", "the token is empty"), ("two words", "a token is one word"),
    ("schlüssel", "a token is one word"),
  ])
  func anEmptyTokenIsAnError(_ token: String, _ words: String) throws {
    let problem = #expect(throws: ConfigurationFailure.self) { try host("  token_file: token", token: token) }
    #expect(problem?.diagnostics.first?.code == "bad_token")
    #expect(problem?.diagnostics.first?.message.contains(words) == true)
  }

  @Test func aMissingTokenFileIsAnError() throws {
    let problem = #expect(throws: ConfigurationFailure.self) { try host("  token_file: token") }
    #expect(problem?.diagnostics.first?.message.hasSuffix("can't be read; write the token into it as one line") == true)
  }

  @Test func theEnvironmentBeatsTheFile() throws {
    let host = try host("  listen: 127.0.0.1:0")
    #expect(throws: ConfigurationFailure.self) { try host.accessRules(environment: ["UPKEEP_TOKEN": ""]) }
    _ = try host.accessRules(environment: ["UPKEEP_TOKEN": "abc"])
  }
}
