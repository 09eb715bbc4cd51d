public import UpkeepCore
import UpkeepDatabase

/// A sample database of the media application: its job queue, its download log and its plans.
///
/// It holds what makes its clean-up hard: times of both widths in one column, jobs of types that no longer exist and of
/// upper-case ones, jobs that hang, jobs that are done but not marked so, starts in the future, NULLs, and plans of every
/// status whose jobs are in every state or gone. No row lies within two hours of a cutoff of whole days.
public struct MediaSample: Sendable {
  /// How many days the jobs go back.
  public static let jobDays = 50
  /// How many days the downloads go back.
  public static let downloadDays = 24

  /// The instant that "now" is for the data.
  public let now: Timestamp
  /// How many jobs there are.
  public let jobs: Int
  /// How many downloads there are.
  public let downloads: Int
  /// How many plans there are.
  public let plans: Int
  /// Whether some jobs hang.
  public let hasStaleJobs: Bool
  /// What the random numbers start from.
  public let seed: UInt64

  /// Makes a new database in WAL mode at `path`, filled with sample data.
  ///
  /// - Parameters:
  ///   - path: The file; it must not exist.
  ///   - now: The instant that the data leads up to.
  ///   - jobs: How many jobs there are, and how many downloads.
  ///   - plans: How many plans there are.
  ///   - hasStaleJobs: Whether some jobs hang.
  ///   - seed: What the random numbers start from: equal arguments give equal rows.
  /// - Returns: The tables that hold rows, parents first.
  /// - Throws: ``UpkeepCore/TaskError`` where the file can't be written.
  @discardableResult
  public static func make(
    at path: String, now: Timestamp, jobs: Int, plans: Int, hasStaleJobs: Bool = true, seed: UInt64 = 7
  ) async throws -> [SampleCount] {
    let sample = MediaSample(
      now: now, jobs: max(1, jobs), downloads: max(1, jobs), plans: max(0, plans), hasStaleJobs: hasStaleJobs,
      seed: seed)
    return try await SampleFile.make(
      at: path, name: "stash", tables: MediaSchema.tables, indexes: MediaSchema.indexes
    ) { connection in
      var writer = MediaSampleWriter(connection: connection, sample: sample)
      try writer.write()
    }
  }
}
