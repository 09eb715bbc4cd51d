public import UpkeepCore

/// What every plugin must do, whatever it maintains.
///
/// ```swift
/// @Test func conforms() async {
///   let conformance = PluginConformance(plugin, powers: [.preview, .delete]) { try await prepareData() }
///   let failures = await conformance.failures()
///   #expect(failures == [])
/// }
/// ```
/// Each check prepares data of its own, so the fixture must be the same each time, and must hold something to do.
public struct PluginConformance: Sendable {
  let plugin: PluginDescriptor
  let powers: Set<PluginPower>
  let badSettings: [ConfigurationNode]
  let scope: SettingScope
  let fixture: @Sendable () async throws -> ConformanceFixture

  /// Describes what is checked.
  ///
  /// - Parameters:
  ///   - plugin: The plugin as the host registers it.
  ///   - powers: What it must be able to do; a generic wrapper would silently lose some.
  ///   - badSettings: Settings of which each must be refused with a place; see ``UpkeepCore/ConfigurationNode/test(_:)``.
  ///   - scope: Where relative paths start and which databases exist.
  ///   - fixture: Prepares data.
  public init(
    _ plugin: PluginDescriptor, powers: Set<PluginPower>, badSettings: [ConfigurationNode] = [],
    scope: SettingScope = SettingScope(folder: "/", databases: nil),
    fixture: @escaping @Sendable () async throws -> ConformanceFixture
  ) {
    self.plugin = plugin
    self.powers = powers
    self.badSettings = badSettings
    self.scope = scope
    self.fixture = fixture
  }

  /// Makes every check.
  /// - Returns: What the plugin doesn't do as it must; empty where it conforms.
  public func failures() async -> [ConformanceFailure] {
    var failures = checkDeclaration()
    let checks: [(String, @Sendable () async throws -> [String])] = [
      ("settings", checkSettings), ("preview", checkPreview), ("run", checkRun), ("cancel", checkCancelBeforeStart),
      ("cancel in the middle", checkCancelInTheMiddle), ("timeout", checkTimeout), ("guard", checkGuard),
    ]
    for (name, check) in checks {
      do {
        failures += try await check().map { ConformanceFailure(name, $0) }
      } catch {
        failures.append(ConformanceFailure(name, "expected no error, found \(error)"))
      }
    }
    return failures
  }

  private func checkDeclaration() -> [ConformanceFailure] {
    var failures: [ConformanceFailure] = []
    func expect(_ condition: Bool, _ check: String, _ message: String) {
      if !condition { failures.append(ConformanceFailure(check, message)) }
    }
    let task = plugin.prepare(nil, .standard, scope).task
    let found = plugin.powers.map(\.rawValue).sorted()
    expect(
      plugin.powers == powers, "powers", "expected \(powers.map(\.rawValue).sorted()), found \(found)")
    expect((task.preview != nil) == powers.contains(.preview), "powers", "the preview isn't bound as expected")
    expect(task.isGuarded == powers.contains(.delete), "powers", "the guard isn't bound as expected")
    expect((task.statistics != nil) == powers.contains(.inspect), "powers", "the statistics aren't bound as expected")
    expect(TaskName.isValid(plugin.id), "id", "expected snake_case, found \(plugin.id)")
    let documentation = plugin.documentation
    expect(
      !documentation.summary.isEmpty && !documentation.summary.hasSuffix("."), "documentation",
      "expected a summary without a full stop, found \"\(documentation.summary)\"")
    expect(
      documentation.sample.contains(plugin.id), "documentation", "the sample doesn't name the plugin \(plugin.id)")
    expect(documentation.sample.contains("#"), "documentation", "the sample has no comments")
    for setting in plugin.settings {
      expect(TaskName.isValid(setting.key), "settings", "expected snake_case, found \(setting.key)")
      expect(
        !setting.help.isEmpty && !setting.help.hasSuffix("."), "settings",
        "\(setting.key): expected a line of help without a full stop, found \"\(setting.help)\"")
    }
    return failures
  }

  @Sendable private func checkSettings() async throws -> [String] {
    var failures: [String] = []
    for problem in plugin.prepare(try await fixture().settings, .standard, scope).problems {
      failures.append("expected the fixture's settings to be good, found: \(problem.message)")
    }
    let standards = plugin.settings.filter { !$0.isRequired && !$0.isSecret && $0.standard != .null }
    let node = ConfigurationNode.test(.object(Dictionary(standards.map { ($0.key, $0.standard) }) { $1 }))
    let keys = standards.map(\.key)
    for problem in plugin.prepare(node, .standard, scope).problems where problem.code != "missing_setting" {
      failures.append("expected the defaults of \(keys) to be good, found: \(problem.message)")
    }
    let unknown = ConfigurationNode.test(.object(["no_such_setting": .integer(1)]))
    for bad in badSettings + [unknown, .test(.string("no map"))] {
      let problems = plugin.prepare(bad, .standard, scope).problems.filter { $0.severity == .error }
      if problems.isEmpty { failures.append("expected \(describe(bad)) to be refused") }
      // A missing setting is shown at its task: there is no place of its own.
      for problem in problems where problem.code != "missing_setting" {
        guard case .file = problem.origin else {
          failures.append("expected a place for: \(problem.message)")
          continue
        }
      }
    }
    return failures
  }

  private func describe(_ node: ConfigurationNode) -> String {
    node.entries.isEmpty ? node.found : node.entries.map { "\($0.key): \($0.value.found)" }.joined(separator: ", ")
  }
}
