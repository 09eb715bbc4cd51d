import UpkeepCore

/// What a sweep found and did, told to the run's journal now and then: a journal that were told of each of a million
/// files would cost more than the files.
struct SweepReport {
  /// How many odd files are named in the result.
  static let namedFiles = 100
  /// How many of them are warned of.
  static let warnedFiles = 20
  /// The name that the uploads have among the result's tables, and for the guard.
  static let table = "uploads"

  /// What is counted of one layout.
  struct Tally: Equatable {
    var uploads = 0
    var oldest: Timestamp?
    var newest: Timestamp?
  }

  private(set) var counts = SweepCounts()
  private(set) var tallies: [TusLayout: Tally] = [:]
  private var told = SweepCounts()
  private var removed = TableResult(table: table)
  private var oddDetails: [(path: String, reason: String)] = []
  private var oddFiles = 0
  private var warnings: [String] = []
  private var warned = 0

  /// Changes the counts.
  mutating func count(_ change: (inout SweepCounts) -> Void) {
    change(&counts)
  }

  /// Counts an upload that was looked at.
  mutating func see(_ layout: TusLayout, created: Timestamp) {
    counts.seen += 1
    var tally = tallies[layout] ?? Tally()
    tally.uploads += 1
    tally.oldest = min(tally.oldest ?? created, created)
    tally.newest = max(tally.newest ?? created, created)
    tallies[layout] = tally
  }

  /// Takes note of the time of something that was removed.
  mutating func remove(created: Timestamp) {
    removed.widen(from: created, to: created)
  }

  /// Names a file that is no upload or can't be dealt with, and warns of it where somebody should look.
  mutating func odd(_ path: String, _ reason: String, warns: Bool) {
    oddFiles += 1
    if oddDetails.count < Self.namedFiles { oddDetails.append((path, reason)) }
    guard warns else { return }
    warned += 1
    if warned <= Self.warnedFiles { warnings.append("\(path): \(reason)") }
  }

  /// Tells the journal what is new.
  mutating func tell(_ context: TaskContext) {
    var table = removed
    table.deleted = counts.uploadsRemoved + counts.orphansRemoved
    table.total = counts.seen
    let news = zip(counts.values, told.values).map { ($0.name, $0.count - $1.count) }
    let (uploads, fresh, seen) = (table, warnings, counts.seen)
    context.journal.update { contents in
      for (name, count) in news { contents.counts[name, default: 0] += count }
      if let index = contents.tables.firstIndex(where: { $0.table == Self.table }) {
        contents.tables[index] = uploads
      } else {
        contents.tables.append(uploads)
      }
      contents.warnings += fresh.filter { !contents.warnings.contains($0) }
      contents.progress.message =
        "\(seen) uploads seen, \(uploads.deleted) \(context.mode == .run ? "removed" : "to go")"
    }
    told = counts
    warnings = []
  }

  /// Tells the journal the rest, at the end of the whole.
  mutating func finish(_ context: TaskContext) {
    tell(context)
    if warned > Self.warnedFiles {
      context.warn("\(warned - Self.warnedFiles) more files that should be looked at: see the details")
    }
    if let oldest = removed.oldest, let newest = removed.newest {
      context.detail("removed", ["oldest": .string(oldest.rfc3339), "newest": .string(newest.rfc3339)])
    }
    for odd in oddDetails { context.detail("odd_file", ["path": .string(odd.path), "reason": .string(odd.reason)]) }
    if oddFiles > oddDetails.count {
      context.detail("odd_files_left_out", ["count": .integer(oddFiles - oddDetails.count)])
    }
  }
}
