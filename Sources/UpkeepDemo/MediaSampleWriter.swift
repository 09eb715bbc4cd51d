import UpkeepCore
import UpkeepDatabase

/// Writes the rows of the media application's sample.
struct MediaSampleWriter {
  private static let types = [
    "sync", "sync_scenes", "analysis", "non_ai_analysis", "apply_plan", "generate_details", "export", "import",
    "cleanup", "remove_orphaned_entities", "process_downloads", "stash_scan", "stash_generate", "check_stash_generate",
    "local_generate", "process_new_scenes", "test", "sync_all", "SYNC",
  ]
  private static let day = Duration.seconds(86_400)
  private static let minute = Duration.seconds(60)

  private let connection: any DatabaseConnection
  private let sample: MediaSample
  private var random: SampleRandom
  /// The ids of jobs by what becomes of them.
  private var stale: [String] = []
  private var active: [String] = []
  private var cancelling: [String] = []
  private var old: [String] = []
  private var young: [String] = []

  init(connection: any DatabaseConnection, sample: MediaSample) {
    self.connection = connection
    self.sample = sample
    random = SampleRandom(seed: sample.seed)
  }

  mutating func write() throws {
    try writeUnfinishedJobs()
    try writeFinishedJobs(sample.jobs - stale.count - active.count - cancelling.count)
    try writeDownloads()
    try writePlans()
    try writeDaemonHistory()
  }

  private struct Job {
    var type: String
    var status: String
    var progress = 100
    var error: String?
    var metadata: String? = #"{"triggered_by": "manual"}"#
    var started: Timestamp?
    var completed: Timestamp?
    var created: Timestamp
  }

  private mutating func insert(_ job: Job) throws -> String {
    let id = uuid()
    let result = job.completed == nil ? nil : #"{"processed": \#(10 + random.below(990))}"#
    try connection.execute(
      """
      INSERT INTO job(id, type, status, progress, total_items, processed_items, result, error, metadata, started_at,
        completed_at, created_at, updated_at) VALUES(?1, ?2, ?3, ?4, 100, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
      """,
      [
        .text(id), .text(job.type), .text(job.status), .integer(Int64(job.progress)), text(result), text(job.error),
        text(job.metadata), time(job.started), time(job.completed), time(job.created),
        time(job.completed ?? job.started ?? job.created),
      ])
    return id
  }

  /// Jobs that hang, jobs that work, jobs of a clock that is ahead, and jobs that somebody is cancelling.
  private mutating func writeUnfinishedJobs() throws {
    let count = max(24, sample.jobs / 250)
    for index in 0..<count {
      let since = sample.now - Self.minute * (150 + index * 7)
      if sample.hasStaleJobs {
        let isPending = index % 3 == 0
        stale.append(
          try insert(
            Job(
              type: Self.types[index % Self.types.count], status: isPending ? "pending" : "running",
              progress: index % 7 == 0 ? 100 : 40, metadata: index % 11 == 0 ? nil : index % 5 == 0 ? "null" : "{}",
              started: isPending ? nil : since, created: since - Self.minute)))
      }
      let isAhead = index % 4 == 0
      let start = isAhead ? sample.now + Self.minute * (90 + index) : sample.now - Self.minute
      active.append(
        try insert(
          Job(
            type: isAhead ? Self.types[index % Self.types.count] : "analysis",
            status: index % 2 == 0 ? "running" : "pending", progress: 10, started: index % 2 == 0 ? start : nil,
            created: start)))
      if index % 4 == 0 {
        let start = sample.now - Self.day * (40 + index % 9)
        cancelling.append(
          try insert(Job(type: "stash_scan", status: "cancelling", progress: 55, started: start, created: start)))
      }
    }
  }

  private mutating func writeFinishedJobs(_ count: Int) throws {
    for index in 0..<max(0, count) {
      let age = age(index, of: count, days: MediaSample.jobDays)
      let end = sample.now - age
      let status = ["completed", "completed", "completed", "failed", "completed", "cancelled"][index % 6]
      // One that was cancelled before it started has neither a start nor an end.
      let hasEnd = index % 60 != 5
      let start = end - Self.minute * (1 + random.below(25))
      let id = try insert(
        Job(
          type: Self.types[random.below(Self.types.count)], status: status, progress: status == "completed" ? 100 : 30,
          error: status == "failed" ? "the server didn't answer" : nil, started: hasEnd ? start : nil,
          completed: hasEnd ? end : nil, created: start - Self.minute))
      if hasEnd, age > Self.day * 30 { old.append(id) } else { young.append(id) }
    }
  }

  private mutating func writeDownloads() throws {
    for index in 0..<sample.downloads {
      let name = "Some.Name.S\(index / 200)E\(index / 8 % 25)"
      try connection.execute(
        "INSERT INTO handled_downloads VALUES(?1, ?2, ?3, ?4, ?5)",
        [
          .integer(Int64(index + 1)),
          time(sample.now - age(index, of: sample.downloads, days: MediaSample.downloadDays)),
          .text(name), .text("/downloads/\(name)/file\(index % 8).mp4"), .text(pick(young)),
        ])
    }
  }

  /// Plans of every status, each with a job in every state.
  private mutating func writePlans() throws {
    let statuses = ["PENDING", "DRAFT", "REVIEWING", "APPLIED", "CANCELLED"]
    let states = [stale, active, cancelling, old, young]
    for index in 0..<sample.plans {
      let job: DatabaseValue =
        switch index / statuses.count % 8 {
        case 0: .null
        case 1: ""
        case 2: .text(uuid())
        case let state: .text(pick(states[state - 3]))
        }
      let (status, id) = (statuses[index % statuses.count], Int64(index + 1))
      let made = sample.now - Self.day * (1 + index % 40)
      try connection.execute(
        "INSERT INTO analysis_plan VALUES(?1, ?2, NULL, '{}', ?3, ?4, ?5, ?6, ?6)",
        [
          .integer(id), .text("Plan \(id)"), .text(status), job, status == "APPLIED" ? time(made) : .null,
          time(made),
        ])
      for field in ["tags", "title"] {
        try connection.execute(
          "INSERT INTO plan_change(plan_id, field, proposed_value) VALUES(?1, ?2, '\"value\"')",
          [.integer(id), .text(field)])
      }
    }
  }

  /// Which daemon started which job: rows that go with their job.
  private mutating func writeDaemonHistory() throws {
    for (index, id) in (old + young).enumerated() where index % 20 == 0 {
      try connection.execute(
        "INSERT INTO daemon_job_history VALUES(?1, 'auto_sync', ?2, 'LAUNCHED', NULL, ?3)",
        [.text(uuid()), .text(id), time(sample.now - Self.day * 3)])
    }
  }

  /// Ages that fall from the number of days to none, never within two hours of a whole day.
  private mutating func age(_ index: Int, of count: Int, days: Int) -> Duration {
    let place = (count - 1 - index) * days * 20 / max(1, count)
    return Self.day * (place / 20) + .seconds(3600 * (2 + place % 20)) + .microseconds(random.below(3_599_000_000))
  }

  /// As the application or as the database writes it.
  private mutating func time(_ instant: Timestamp?) -> DatabaseValue {
    guard let instant else { return .null }
    let text = instant.microsecondText
    return .text(random.once(in: 3) ? String(text.prefix(19)) : text)
  }

  private func text(_ text: String?) -> DatabaseValue {
    text.map { .text($0) } ?? .null
  }

  private mutating func pick(_ ids: [String]) -> String {
    ids.isEmpty ? uuid() : ids[random.below(ids.count)]
  }

  private mutating func uuid() -> String {
    func hex(_ number: UInt64, _ width: Int) -> String {
      let digits = String(number, radix: 16)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let (high, low) = (random.next(), random.next())
    return
      "\(hex(high >> 32, 8))-\(hex(high >> 16 & 0xFFFF, 4))-4\(hex(high & 0xFFF, 3))-a\(hex(low >> 48 & 0xFFF, 3))-"
      + hex(low & 0xFFFF_FFFF_FFFF, 12)
  }
}
