/// A kind of maintenance: what a plugin provides.
///
/// A task knows its domain and nothing else. It works in steps between which it can be cancelled (`Task.checkCancellation`),
/// adds counts when they are true, and lets errors out.
public protocol MaintenanceTask: Sendable {
  /// Its settings.
  associatedtype Settings: TaskSettings

  /// Creates the task. It holds no state: what it needs comes with the context.
  init()

  /// Does the work.
  /// - Throws: `CancellationError` when it was asked to stop; any other error ends the run as failed.
  func run(_ settings: Settings, in context: TaskContext) async throws
}

/// A task that can say what a run would do now, without changing anything.
///
/// A preview reports through the same names as a run: the counts and tables of a preview and of the run that follows on
/// unchanged data are equal.
public protocol PreviewableTask: MaintenanceTask {
  /// Reports what a run would do.
  func preview(_ settings: Settings, in context: TaskContext) async throws
}

/// A task that deletes rows or files, so that the runner lets the guard judge a preview before each run.
public protocol DeletingTask: PreviewableTask {
  /// Whether it is guarded where the configuration says nothing. One that isn't has no preview before its runs either,
  /// unless a guard is set.
  static var isGuardedByDefault: Bool { get }
}

extension DeletingTask {
  /// It is.
  public static var isGuardedByDefault: Bool { true }
}

/// A task that changes rows and deletes none: the guard has nothing to judge, and ``TaskContext/exceptions(in:)`` hold
/// for it all the same.
public protocol ChangingTask: PreviewableTask {}

/// A task that can describe what it watches over.
public protocol InspectableTask: MaintenanceTask {
  /// Counts, oldest and newest per table or folder.
  func statistics(_ settings: Settings, in context: TaskContext) async throws -> Statistics
}

/// What a task watches over.
public struct Statistics: Codable, Hashable, Sendable {
  /// One table or folder.
  public struct Item: Codable, Hashable, Sendable {
    /// The table or folder.
    public var name: String
    /// How many rows or files.
    public var count: Int
    /// The oldest time.
    public var oldest: Timestamp?
    /// The newest time.
    public var newest: Timestamp?

    /// Creates an item.
    public init(name: String, count: Int, oldest: Timestamp? = nil, newest: Timestamp? = nil) {
      self.name = name
      self.count = count
      self.oldest = oldest
      self.newest = newest
    }

    enum CodingKeys: String, CodingKey {
      case name, count, oldest, newest
    }

    /// Writes every key, absent values as null.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
      try container.encode(count, forKey: .count)
      try container.encode(oldest, forKey: .oldest)
      try container.encode(newest, forKey: .newest)
    }
  }

  /// The tables or folders.
  public var items: [Item]
  /// More to know, each with a `kind`.
  public var details: [JSONValue]

  /// Creates statistics.
  public init(items: [Item] = [], details: [JSONValue] = []) {
    self.items = items
    self.details = details
  }
}
