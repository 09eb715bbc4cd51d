/// A power that a plugin may have beside running.
public enum PluginPower: String, Hashable, Sendable, CaseIterable, Codable {
  /// It can say what a run would do: ``PreviewableTask``.
  case preview
  /// It deletes rows or files and is guarded: ``DeletingTask``.
  case delete
  /// It changes rows: ``ChangingTask``.
  case change
  /// It can describe what it watches over: ``InspectableTask``.
  case inspect
}

/// What is said of a plugin.
public struct PluginDocumentation: Hashable, Sendable {
  /// One line for people, without a full stop.
  public var summary: String
  /// The task as it stands in a YAML file under `tasks:`, comments included; a test parses it.
  public var sample: String
  /// The names of the counts that its results carry, each with one line of explanation.
  public var counts: [(name: String, meaning: String)]
  /// The names of those counts that say what a run saw and left alone, so that the next one counts it again.
  public var seenCounts: Set<String>
  /// The names of those counts that only a run can know, such as what somebody else's answers changed; a preview doesn't
  /// carry them.
  public var unforeseenCounts: Set<String>
  /// The ids of plugins that change what this one finds, where they run before it on the same database: a preview of a
  /// group says so.
  public var dependsOn: [String]

  /// Describes a plugin.
  public init(
    summary: String, sample: String, counts: [(name: String, meaning: String)] = [], seenCounts: Set<String> = [],
    unforeseenCounts: Set<String> = [], dependsOn: [String] = []
  ) {
    self.unforeseenCounts = unforeseenCounts
    self.summary = summary
    self.sample = sample
    self.counts = counts
    self.seenCounts = seenCounts
    self.dependsOn = dependsOn
  }

  /// Equal where all texts are.
  public static func == (left: Self, right: Self) -> Bool {
    left.summary == right.summary && left.sample == right.sample && left.seenCounts == right.seenCounts
      && left.unforeseenCounts == right.unforeseenCounts
      && left.dependsOn == right.dependsOn
      && left.counts.elementsEqual(right.counts) { $0 == $1 }
  }

  /// Hashes the summary and the sample.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(summary)
    hasher.combine(sample)
  }
}

/// A plugin as the host sees it: its name, what is said of it, and how a task of it is made from settings.
///
/// The generic task is erased here, once. Add a plugin by putting
/// `Plugin("my_plugin", MyTask.self, MyTask.documentation)` on the host's list.
public struct PluginDescriptor: Sendable {
  /// The id, in `snake_case`.
  public let id: String
  /// What is said of it.
  public let documentation: PluginDocumentation
  /// Its settings.
  public let settings: [SettingDescription]
  /// What it can do beside running.
  public let powers: Set<PluginPower>
  /// Whether its tasks are guarded where their configuration says nothing of a guard.
  public let isGuardedByDefault: Bool
  /// Reads settings and makes a task of them; reports every problem.
  public let prepare:
    @Sendable (_ settings: ConfigurationNode?, _ owner: ValueOrigin, _ scope: SettingScope) -> (
      task: PreparedTask, problems: [Diagnostic]
    )

  fileprivate init<T: MaintenanceTask>(
    _ id: String, _ type: T.Type, _ documentation: PluginDocumentation, powers: Set<PluginPower>,
    isGuardedByDefault: Bool = false, build: @escaping @Sendable (T.Settings) -> PreparedTask
  ) {
    self.id = id
    self.documentation = documentation
    self.powers = powers
    self.isGuardedByDefault = isGuardedByDefault
    settings = T.Settings.descriptions
    prepare = { node, owner, scope in
      let (settings, problems) = T.Settings.read(node, owner: owner, in: scope)
      var task = build(settings)
      task.dependsOn = documentation.dependsOn
      return (task, problems)
    }
  }
}

/// A task with its settings, ready to run.
public struct PreparedTask: Sendable {
  /// The work of a task in a context.
  public typealias Body = @Sendable (TaskContext) async throws -> Void

  /// The settings' values by key; secrets masked.
  public let settings: [String: JSONValue]
  /// Does the work.
  public let run: Body
  /// Reports what a run would do; nothing where the task can't.
  public let preview: Body?
  /// Whether the guard judges a preview before each run.
  public let isGuarded: Bool
  /// Whether it goes without guard and preview where no guard is set for it.
  public let isGuardOptional: Bool
  /// The ids of plugins that change what it finds: see ``PluginDocumentation/dependsOn``.
  public var dependsOn: [String] = []
  /// Describes what the task watches over; nothing where it can't.
  public let statistics: (@Sendable (TaskContext) async throws -> Statistics)?

  /// Creates a prepared task. Plugins are registered with ``Plugin(_:_:_:)``; tests may build one by hand.
  public init(
    settings: [String: JSONValue] = [:], run: @escaping Body, preview: Body? = nil, isGuarded: Bool = false,
    isGuardOptional: Bool = false, statistics: (@Sendable (TaskContext) async throws -> Statistics)? = nil
  ) {
    self.settings = settings
    self.run = run
    self.preview = preview
    self.isGuarded = isGuarded
    self.isGuardOptional = isGuardOptional
    self.statistics = statistics
  }
}

// The powers are bound by overloads, not by casts: the conformance suite asserts each plugin's powers, since a generic
// wrapper would silently pick the weakest of them.

/// Registers a task that only runs.
public func Plugin<T: MaintenanceTask>(
  _ id: String, _ type: T.Type, _ documentation: PluginDocumentation
) -> PluginDescriptor {
  PluginDescriptor(id, type, documentation, powers: []) { settings in
    PreparedTask(settings: settings.values, run: { try await T().run(settings, in: $0) })
  }
}

/// Registers a task that can be previewed.
public func Plugin<T: PreviewableTask>(
  _ id: String, _ type: T.Type, _ documentation: PluginDocumentation
) -> PluginDescriptor {
  PluginDescriptor(id, type, documentation, powers: [.preview]) { settings in
    PreparedTask(
      settings: settings.values, run: { try await T().run(settings, in: $0) },
      preview: { try await T().preview(settings, in: $0) })
  }
}

/// Registers a task that can be previewed and inspected.
public func Plugin<T: PreviewableTask & InspectableTask>(
  _ id: String, _ type: T.Type, _ documentation: PluginDocumentation
) -> PluginDescriptor {
  PluginDescriptor(id, type, documentation, powers: [.preview, .inspect]) { settings in
    PreparedTask(
      settings: settings.values, run: { try await T().run(settings, in: $0) },
      preview: { try await T().preview(settings, in: $0) },
      statistics: { try await T().statistics(settings, in: $0) })
  }
}

/// Registers a task that changes rows and can be inspected.
public func Plugin<T: ChangingTask & InspectableTask>(
  _ id: String, _ type: T.Type, _ documentation: PluginDocumentation
) -> PluginDescriptor {
  PluginDescriptor(id, type, documentation, powers: [.preview, .change, .inspect]) { settings in
    PreparedTask(
      settings: settings.values, run: { try await T().run(settings, in: $0) },
      preview: { try await T().preview(settings, in: $0) },
      statistics: { try await T().statistics(settings, in: $0) })
  }
}

/// Registers a task that changes rows.
public func Plugin<T: ChangingTask>(
  _ id: String, _ type: T.Type, _ documentation: PluginDocumentation
) -> PluginDescriptor {
  PluginDescriptor(id, type, documentation, powers: [.preview, .change]) { settings in
    PreparedTask(
      settings: settings.values, run: { try await T().run(settings, in: $0) },
      preview: { try await T().preview(settings, in: $0) })
  }
}

/// Registers a task that deletes.
public func Plugin<T: DeletingTask>(
  _ id: String, _ type: T.Type, _ documentation: PluginDocumentation
) -> PluginDescriptor {
  PluginDescriptor(
    id, type, documentation, powers: [.preview, .delete], isGuardedByDefault: T.isGuardedByDefault
  ) { settings in
    PreparedTask(
      settings: settings.values, run: { try await T().run(settings, in: $0) },
      preview: { try await T().preview(settings, in: $0) }, isGuarded: true, isGuardOptional: !T.isGuardedByDefault)
  }
}

/// Registers a task that deletes and can be inspected.
public func Plugin<T: DeletingTask & InspectableTask>(
  _ id: String, _ type: T.Type, _ documentation: PluginDocumentation
) -> PluginDescriptor {
  PluginDescriptor(
    id, type, documentation, powers: [.preview, .delete, .inspect], isGuardedByDefault: T.isGuardedByDefault
  ) { settings in
    PreparedTask(
      settings: settings.values, run: { try await T().run(settings, in: $0) },
      preview: { try await T().preview(settings, in: $0) }, isGuarded: true, isGuardOptional: !T.isGuardedByDefault,
      statistics: { try await T().statistics(settings, in: $0) })
  }
}
