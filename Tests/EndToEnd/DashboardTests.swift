import Foundation
import Testing
import UpkeepTestKit

/// The dashboard in a real browser: what an operator does with it.
@Suite(.serialized, .enabled(if: Browser.isInstalled, "needs chromium-driver"), .timeLimit(.minutes(8)))
struct DashboardTests {
  /// A folder with the demo's databases and one more task that takes a while.
  private static func place() async throws -> Workplace {
    let place = try Workplace()
    try #require(try await Program.run(["demo", "demo", "--scale", "0.02"], in: place.folder).status == 0)
    let yaml = try String(contentsOfFile: place.path("demo/upkeep.yaml"), encoding: .utf8)
      .replacing("\nhost:\n", with: "\nhost:\n  listen: 127.0.0.1:0\n")
      .replacing("\ntasks:\n", with: "\ntasks:\n  nap: { plugin: noop, settings: { duration: 10s } }\n")
    try place.write(yaml, to: "demo/upkeep.yaml")
    return place
  }

  private func browsing(_ body: (Workplace, Browser, String) async throws -> Void) async throws {
    let place = try await Self.place()
    try await ApiTests.serving(place, environment: ["UPKEEP_CONFIG": "demo/upkeep.yaml"]) { port in
      try await Browser.with { browser in
        try await browser.show(width: 1280, dark: false)
        try await body(place, browser, "http://127.0.0.1:\(port)")
      }
    }
  }

  @Test func anOperatorPreviewsRunsChangesAndDisables() async throws {
    try await browsing { place, browser, address in
      try await browser.open("\(address)/")
      try await browser.wait(text: "odds_retention")
      // More goes when less is kept, so that the run has something to do.
      try await browser.open("\(address)/tasks/odds_retention")
      let before = try String(contentsOfFile: place.path("demo/upkeep.yaml"), encoding: .utf8)
      try await browser.press("//button[@data-key='settings.odds_keep']")
      try await browser.write("20d", into: "//dialog//input")
      try await browser.press(button: "Show the change")
      try await browser.wait(for: "document.querySelectorAll('.diff .new').length === 1")
      try await browser.picture("diff")
      #expect(try String(contentsOfFile: place.path("demo/upkeep.yaml"), encoding: .utf8) == before)
      try await browser.press(button: "Write it")
      try await browser.wait(
        for: "document.querySelector('[data-key=\"settings.odds_keep\"]')?.dataset.value === '20d'")
      let after = try String(contentsOfFile: place.path("demo/upkeep.yaml"), encoding: .utf8)
      #expect(after == before.replacing("odds_keep: 30d", with: "odds_keep: 20d", maxReplacements: 1))
      #expect(after != before)

      try await Self.preview(browser)
      try await browser.picture("preview")
      try await browser.press(button: "Run now: removes ")
      try await browser.wait(text: "It removed ")
      try await browser.wait(text: "longest lock")
      try await browser.picture("result")

      try await browser.open("\(address)/tasks/nap")
      try await browser.press(button: "Run…")
      try await browser.press(button: "Run now")
      try await browser.wait(for: "parseFloat(document.querySelector('.live .percent')?.textContent) > 5")
      try await browser.picture("progress")
      try await browser.wait(for: "document.querySelector('h1 ~ p .status.completed') !== null")

      try await browser.open("\(address)/")
      try await browser.press("//button[@data-action='disable'][@data-task='odds_retention']")
      try await browser.press(button: "Write it")
      try await browser.wait(for: "document.querySelector('[data-action=enable][data-task=odds_retention]') !== null")
      #expect(
        try String(contentsOfFile: place.path("demo/upkeep.yaml"), encoding: .utf8).contains("enabled: false"))
      try await browser.press("//button[@data-action='enable'][@data-task='odds_retention']")
      try await browser.press(button: "Write it")
      try await browser.wait(for: "document.querySelector('[data-action=disable][data-task=odds_retention]') !== null")
      #expect(try await browser.complaints() == [])
    }
  }

  /// Has a preview made, and waits for its page: the one that it was asked for on may show an earlier preview. A page that
  /// is being left can't be looked at; the driver waits for ever for an answer.
  private static func preview(_ browser: Browser) async throws {
    try await browser.press("//button[@data-action='preview'][contains(., 'Preview now')]")
    try await browser.wait(
      for: "location.pathname.startsWith('/runs/') && document.body.innerText.includes('Run now: removes ')")
  }

  @Test func asksAgainWhereTheDataMoved() async throws {
    try await browsing { place, browser, address in
      // A run by another way empties what the preview found.
      _ = try await place.run("set", "odds_retention", "odds_keep", "20d", environment: Self.demo)
      try await browser.open("\(address)/tasks/odds_retention")
      try await browser.wait(
        for: "document.querySelector('[data-key=\"settings.odds_keep\"]')?.dataset.value === '20d'")
      try await Self.preview(browser)
      #expect(try await place.run("run", "odds_retention", "--yes", environment: Self.demo).status == 0)
      try await browser.press(button: "Run now: removes ")
      try await browser.wait(text: "The data moved")
      try await browser.wait(text: "look at the new preview")
      try await browser.picture("moved")
      try await browser.press(button: "Run with these numbers")
      try await browser.wait(text: "It removed 0 rows")
    }
  }

  private static let demo = ["UPKEEP_CONFIG": "demo/upkeep.yaml"]

  @Test func everyPageIsReadableNarrowAndWideLightAndDarkWithAndWithoutScripts() async throws {
    try await browsing { place, browser, address in
      let run = try await place.run("run", "odds_retention", "nap", "--yes", "--json", environment: Self.demo)
      let id = try #require((try run.json()["results"] as? [[String: Any]])?.first?["run_id"] as? String)
      _ = try await place.run("pause", "nap", "--for", "2h", "--why", "<b>a migration</b>", environment: Self.demo)
      let pages = [
        ("tasks", "/"), ("task", "/tasks/odds_retention"), ("run", "/runs/\(id)"), ("timeline", "/timeline"),
        ("configuration", "/configuration"), ("missing", "/tasks/nothing"),
      ]
      for (name, path) in pages {
        for (width, dark) in [(1280, false), (1280, true), (380, false), (380, true)] {
          try await browser.show(width: width, dark: dark)
          try await browser.open(address + path)
          try await browser.wait(
            for: "document.documentElement.classList.contains('js') && document.querySelector('h1')")
          let place = "\(name) at \(width), \(dark ? "dark" : "light")"
          let room = try await browser.value("document.documentElement.scrollWidth")
          #expect(Int(room) ?? 0 <= width, "\(place) is \(room) wide")
          #expect(try await browser.value(Self.paleTexts) == "", "\(place)")
          try await browser.picture("\(name)-\(width)-\(dark ? "dark" : "light")")
        }
      }
      try await browser.show(width: 1280, dark: false)
      // The page that isn't there is the one complaint that is meant.
      #expect(try await browser.complaints().allSatisfy { $0.contains("/tasks/nothing") })
      try await browser.open("\(address)/")
      try await browser.wait(text: "<b>a migration</b>")
      try await browser.command("Emulation.setScriptExecutionDisabled", ["value": true])
      for (name, path) in pages.prefix(5) {
        try await browser.open(address + path)
        try await browser.picture("\(name)-without-scripts")
      }
    }
  }

  /// The texts whose contrast with what is behind them is below that of WCAG AA.
  private static let paleTexts = """
    (() => {
      const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
      const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const behind = (element) => {
        for (let e = element; e; e = e.parentElement) {
          const colour = parse(getComputedStyle(e).backgroundColor);
          if (colour[3] > 0) return colour;
        }
        return [255, 255, 255, 1];
      };
      const pale = [];
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walk.nextNode()) {
        const element = walk.currentNode.parentElement;
        if (!walk.currentNode.textContent.trim() || !element.checkVisibility() || element.closest('svg')) continue;
        const style = getComputedStyle(element);
        const [a, b] = [light(parse(style.color)), light(behind(element))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) pale.push(`${walk.currentNode.textContent.trim().slice(0, 30)}: ${contrast.toFixed(2)}`);
      }
      return pale.join('; ');
    })()
    """
}
