public import UpkeepCore

/// How long a job of each type may take. Types match as they are stored: `ANALYSIS` isn't `analysis`.
public struct JobLimits: SettingValue, Hashable {
  /// The limits by type.
  public var byType: [String: Duration]

  /// Creates limits.
  public init(_ byType: [String: Duration] = Self.standard) {
    self.byType = byType
  }

  /// The media application's own.
  public static let standard: [String: Duration] = [
    "sync": .seconds(30 * 60), "sync_scenes": .seconds(30 * 60), "analysis": .seconds(60 * 60),
    "apply_plan": .seconds(30 * 60), "generate_details": .seconds(45 * 60), "export": .seconds(15 * 60),
    "import": .seconds(15 * 60), "cleanup": .seconds(5 * 60),
  ]

  /// A map from types to durations.
  public static var kind: SettingKind { .map(of: .duration) }

  /// Reads the map. What it says is laid over the defaults, so that one limit can be changed without repeating the
  /// others.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> JobLimits {
    let given = try [String: Duration].read(node, in: scope)
    var problems: [Diagnostic] = []
    for entry in node.entries where given[entry.key] == .zero {
      problems.append(
        Diagnostic(
          code: "out_of_range", "\(entry.key): a limit of nothing would end every job; write at least 1s",
          at: entry.value.origin))
    }
    if let problem = SettingProblem(problems) { throw problem }
    return JobLimits(standard.merging(given) { _, new in new })
  }

  /// The limits.
  public var json: JSONValue { byType.json }
}
