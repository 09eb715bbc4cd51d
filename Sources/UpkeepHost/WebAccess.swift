import Foundation
import UpkeepConfiguration
import UpkeepCore
import UpkeepHTTP
import UpkeepRuns
import UpkeepRuntime

extension Host {
  /// Who may use the HTTP API: the token is that of `UPKEEP_TOKEN`, else of `host.token_file`.
  ///
  /// - Throws: ``ConfigurationFailure`` where the token can't be read or is empty, and where others could reach the
  ///   address although there is no token.
  func accessRules(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(ConfigurationFailure) -> AccessRules {
    let token = try token(environment)
    guard token != nil || configuration.listen.isLoopback else {
      throw Self.failure(
        "no_token",
        "host.listen: \(configuration.listen.text) can be reached by others, so it needs a token: set host.token_file or "
          + "UPKEEP_TOKEN, or listen on 127.0.0.1")
    }
    return AccessRules(
      listen: configuration.listen.host, machine: configuration.listen.isLoopback ? nil : inspector.current.host,
      hosts: configuration.allowedHosts, origins: configuration.allowedOrigins, token: token)
  }

  private func token(_ environment: [String: String]) throws(ConfigurationFailure) -> String? {
    let (text, place): (String, String)
    if let value = environment["UPKEEP_TOKEN"] {
      (text, place) = (value, "UPKEEP_TOKEN")
    } else if let path = configuration.tokenFile {
      guard let bytes = FileManager.default.contents(atPath: path), let file = String(data: bytes, encoding: .utf8)
      else {
        throw Self.failure("bad_token", "host.token_file: \(path) can't be read; write the token into it as one line")
      }
      (text, place) = (file, "host.token_file: \(path)")
    } else {
      return nil
    }
    let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !token.isEmpty else {
      throw Self.failure(
        "bad_token", "\(place): the token is empty; write a long random text, such as openssl rand -hex 32")
    }
    guard token.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
      throw Self.failure("bad_token", "\(place): a token is one word of letters, digits and signs")
    }
    return token
  }

  private static func failure(_ code: String, _ message: String) -> ConfigurationFailure {
    ConfigurationFailure(diagnostics: [Diagnostic(code: code, message)], lines: ["error: \(message) [\(code)]"])
  }
}
