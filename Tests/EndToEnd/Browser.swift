import Foundation
import Testing
import UpkeepCore
import UpkeepTestKit

/// A headless Chromium, driven by WebDriver.
final class Browser: Sendable {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  static let driver = "/usr/bin/chromedriver"
  /// Whether there is one: `.ci/run` installs it.
  static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: driver) }

  private let port: Int
  private let session: String

  /// Starts a browser of its own for `body`, and ends it whatever happens: where the test is cancelled, since its time is
  /// up, at once, so that whoever waits for an answer gets an error.
  static func with(_ body: (Browser) async throws -> Void) async throws {
    let place = try Workplace()
    let driver = try Driver(profile: place.path("profile"))
    let outcome: Result<Void, any Error>
    do {
      try await withTaskCancellationHandler {
        let browser = try await Browser(try await driver.port(), profile: driver.profile)
        try await body(browser)
        try await browser.end()
      } onCancel: {
        driver.kill()
      }
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    await driver.end()
    try outcome.get()
  }

  private init(_ port: Int, profile: String) async throws {
    self.port = port
    let arguments = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en-US", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--user-data-dir=\(profile)",
    ]
    let options: [String: Any] = ["args": arguments, "binary": "/usr/bin/chromium"]
    let wanted: [String: Any] = [
      "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": ["browser": "ALL"],
      "timeouts": ["implicit": 20_000, "script": 30_000, "pageLoad": 40_000],
    ]
    let value = try await Self.send(port, "POST", "/session", ["capabilities": ["alwaysMatch": wanted]])
    session = try #require((value as? [String: Any])?["sessionId"] as? String)
  }

  private func end() async throws {
    _ = try await Self.send(port, "DELETE", "/session/\(session)", nil)
  }

  private static func send(_ port: Int, _ method: String, _ path: String, _ body: [String: Any]?) async throws -> Any {
    let text = try body.map { String(decoding: try JSONSerialization.data(withJSONObject: $0), as: UTF8.self) }
    let answer = try await ClientSocket.ask(port, method, path, text)
    let document = try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
    guard answer.status == 200 else {
      let value = document?["value"] as? [String: Any]
      throw Failure(description: "\(method) \(path) \(text ?? ""): \(value?["message"] ?? answer.body)")
    }
    return document?["value"] ?? NSNull()
  }

  private func post(_ path: String, _ body: [String: Any]) async throws -> Any {
    try await Self.send(port, "POST", "/session/\(session)\(path)", body)
  }

  /// Opens a page.
  func open(_ address: String) async throws { _ = try await post("/url", ["url": address]) }

  /// Presses the first element of an XPath; again where the page was made anew between finding and pressing it.
  func press(_ path: String) async throws {
    let elapsed = ContinuousClock().stopwatch()
    while true {
      do {
        _ = try await post("/element/\(try await element(path))/click", [:])
        return
      } catch let failure as Failure where failure.description.contains("stale") && elapsed() < Self.patience {
        continue
      }
    }
  }

  /// Presses the button with this text.
  func press(button text: String) async throws { try await press("//button[contains(., '\(text)')]") }

  /// Writes into a field in place of what is there.
  func write(_ text: String, into path: String) async throws {
    let element = try await element(path)
    _ = try await post("/element/\(element)/clear", [:])
    _ = try await post("/element/\(element)/value", ["text": text])
  }

  private func element(_ path: String) async throws -> String {
    let value = try await post("/element", ["using": "xpath", "value": path]) as? [String: Any]
    return try #require(value?.values.first as? String)
  }

  /// How long a page may take to come to what a test waits for.
  private static let patience = Duration.seconds(40)

  /// Waits until an expression of the page is true, across reloads.
  ///
  /// It asks again and again: a script that waits within the page is lost, and now and then its answer too, when the page
  /// is left meanwhile.
  func wait(for expression: String) async throws {
    let elapsed = ContinuousClock().stopwatch()
    var last: Failure?
    while elapsed() < Self.patience {
      try Task.checkCancellation()
      do {
        if try await value("Boolean(\(expression))") == "true" { return }
      } catch let failure as Failure {
        last = failure
      }
    }
    let text = (try? await value("document.body.innerText")) ?? ""
    throw Failure(description: "\(expression): \(last.map(String.init(describing:)) ?? "false")\n\(text)")
  }

  /// Waits until the page has a text.
  func wait(text: String) async throws {
    try await wait(for: "document.body && document.body.innerText.includes(\(Self.quoted(text)))")
  }

  /// The value of an expression of the page, as text.
  func value(_ expression: String) async throws -> String {
    let value = try await post("/execute/sync", ["script": "return String(\(expression))", "args": [Any]()])
    return value as? String ?? ""
  }

  private static func quoted(_ text: String) -> String {
    "'\(text.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'"
  }

  /// A command of the browser's own protocol.
  @discardableResult
  func command(_ name: String, _ parameters: [String: Any]) async throws -> [String: Any] {
    try await post("/goog/cdp/execute", ["cmd": name, "params": parameters]) as? [String: Any] ?? [:]
  }

  /// How wide the window is, and in which scheme of colours.
  func show(width: Int, dark: Bool) async throws {
    try await command(
      "Emulation.setDeviceMetricsOverride",
      ["width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500])
    let scheme = ["name": "prefers-color-scheme", "value": dark ? "dark" : "light"]
    try await command("Emulation.setEmulatedMedia", ["features": [scheme]])
  }

  /// Keeps a picture of the whole page among the outputs of the test.
  func picture(_ name: String) async throws {
    let picture = try await command("Page.captureScreenshot", ["format": "png", "captureBeyondViewport": true])
    let data = try #require(Data(base64Encoded: picture["data"] as? String ?? ""))
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: ".build/screenshots")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try data.write(to: folder.appending(path: "\(name).png"))
  }

  /// What the browser complained of: errors of scripts, and what the page's policy forbids.
  func complaints() async throws -> [String] {
    let entries = try await post("/se/log", ["type": "browser"]) as? [[String: Any]] ?? []
    return entries.filter { $0["level"] as? String == "SEVERE" }.compactMap { $0["message"] as? String }
  }
}
