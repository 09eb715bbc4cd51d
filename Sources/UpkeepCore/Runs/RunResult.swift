/// The record of one run: what `--json` prints, the history keeps and the API answers.
public struct RunResult: Hashable, Sendable {
  /// The version of this document's shape.
  public static let schemaVersion = 1

  /// The run's identifier, a ULID: later runs sort after earlier ones.
  public var runID: String
  /// The task's name.
  public var task: String
  /// The plugin's id.
  public var plugin: String
  /// Whether anything was changed.
  public var mode: RunMode
  /// What started it.
  public var trigger: RunTrigger
  /// How it ended, or stands.
  public var status: RunStatus
  /// Why it ended so, in one sentence or one word; nothing where the status says it all.
  public var reason: String?
  /// Why it ended so, for people: the reason, else the first error.
  public var why: String? { reason ?? errors.first?.message }
  /// The slot that it covers; of several the last.
  public var scheduledAt: Timestamp?
  /// The slots that it stands for, where there are several.
  public var slots: SlotRange?
  /// When it started; nothing while it waits, and for one that never started.
  public var startedAt: Timestamp?
  /// When it ended.
  public var finishedAt: Timestamp?
  /// How long it took, by the monotonic clock.
  public var durationMilliseconds: Int?
  /// How far it is.
  public var progress: RunProgress
  /// What was really committed, by name.
  public var counts: [String: Int]
  /// The same by table.
  public var tables: [TableResult]
  /// More to know, each with a `kind`.
  public var details: [JSONValue]
  /// What the guard found; nothing where there is none.
  public var guardVerdict: GuardVerdict?
  /// What a run left undone, by table, since its budget was used up or its window over; empty where nobody counted it,
  /// nothing where the run did all it had to.
  public var remaining: [String: Int]?
  /// What somebody should know.
  public var warnings: [String]
  /// What went wrong.
  public var errors: [RunError]
  /// The settings it ran with; secrets masked.
  public var settings: [String: JSONValue]
  /// The machine it ran on.
  public var host: String
  /// The program's version.
  public var version: String

  /// Creates a record of a run that hasn't started.
  public init(
    runID: String, task: String, plugin: String, mode: RunMode, trigger: RunTrigger, status: RunStatus,
    settings: [String: JSONValue] = [:], host: String, version: String = Upkeep.version
  ) {
    self.runID = runID
    self.task = task
    self.plugin = plugin
    self.mode = mode
    self.trigger = trigger
    self.status = status
    self.settings = settings
    self.host = host
    self.version = version
    progress = RunProgress()
    counts = [:]
    tables = []
    details = []
    warnings = []
    errors = []
  }
}

extension RunResult: Codable {
  enum CodingKeys: String, CodingKey {
    case task, plugin, mode, trigger, status, reason, progress, counts, tables, details, remaining, warnings, errors
    case settings, host, version
    case schemaVersion = "schema_version"
    case runID = "run_id"
    case scheduledAt = "scheduled_at"
    case firstSlot = "first_slot"
    case lastSlot = "last_slot"
    case slots
    case startedAt = "started_at"
    case finishedAt = "finished_at"
    case durationMilliseconds = "duration_ms"
    case guardVerdict = "guard"
  }

  /// Reads a document.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    runID = try values.decode(String.self, forKey: .runID)
    task = try values.decode(String.self, forKey: .task)
    plugin = try values.decode(String.self, forKey: .plugin)
    mode = try values.decode(RunMode.self, forKey: .mode)
    trigger = try values.decode(RunTrigger.self, forKey: .trigger)
    status = try values.decode(RunStatus.self, forKey: .status)
    reason = try values.decodeIfPresent(String.self, forKey: .reason)
    scheduledAt = try values.decodeIfPresent(Timestamp.self, forKey: .scheduledAt)
    if let first = try values.decodeIfPresent(Timestamp.self, forKey: .firstSlot),
      let last = try values.decodeIfPresent(Timestamp.self, forKey: .lastSlot),
      let count = try values.decodeIfPresent(Int.self, forKey: .slots)
    {
      slots = SlotRange(first: first, last: last, count: count)
    }
    startedAt = try values.decodeIfPresent(Timestamp.self, forKey: .startedAt)
    finishedAt = try values.decodeIfPresent(Timestamp.self, forKey: .finishedAt)
    durationMilliseconds = try values.decodeIfPresent(Int.self, forKey: .durationMilliseconds)
    progress = try values.decode(RunProgress.self, forKey: .progress)
    counts = try values.decode([String: Int].self, forKey: .counts)
    tables = try values.decode([TableResult].self, forKey: .tables)
    details = try values.decode([JSONValue].self, forKey: .details)
    guardVerdict = try values.decodeIfPresent(GuardVerdict.self, forKey: .guardVerdict)
    remaining = try values.decodeIfPresent([String: Int].self, forKey: .remaining)
    warnings = try values.decode([String].self, forKey: .warnings)
    errors = try values.decode([RunError].self, forKey: .errors)
    settings = try values.decode([String: JSONValue].self, forKey: .settings)
    host = try values.decode(String.self, forKey: .host)
    version = try values.decode(String.self, forKey: .version)
  }

  /// Writes every key on every status, absent values as null.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(Self.schemaVersion, forKey: .schemaVersion)
    try values.encode(runID, forKey: .runID)
    try values.encode(task, forKey: .task)
    try values.encode(plugin, forKey: .plugin)
    try values.encode(mode, forKey: .mode)
    try values.encode(trigger, forKey: .trigger)
    try values.encode(status, forKey: .status)
    try values.encode(reason, forKey: .reason)
    try values.encode(scheduledAt, forKey: .scheduledAt)
    try values.encode(slots?.first, forKey: .firstSlot)
    try values.encode(slots?.last, forKey: .lastSlot)
    try values.encode(slots?.count, forKey: .slots)
    try values.encode(startedAt, forKey: .startedAt)
    try values.encode(finishedAt, forKey: .finishedAt)
    try values.encode(durationMilliseconds, forKey: .durationMilliseconds)
    try values.encode(progress, forKey: .progress)
    try values.encode(counts, forKey: .counts)
    try values.encode(tables, forKey: .tables)
    try values.encode(details, forKey: .details)
    try values.encode(guardVerdict, forKey: .guardVerdict)
    try values.encode(remaining, forKey: .remaining)
    try values.encode(warnings, forKey: .warnings)
    try values.encode(errors, forKey: .errors)
    try values.encode(settings, forKey: .settings)
    try values.encode(host, forKey: .host)
    try values.encode(version, forKey: .version)
  }
}
