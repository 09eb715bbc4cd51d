public import UpkeepCore

/// Reads until when a pause holds: the same for the command line and the API.
public enum PauseEnd {
  /// What is wrong with a length or an end.
  public struct Problem: Error, Sendable {
    /// A stable code, in `snake_case`.
    public let code: String
    /// What was expected and found.
    public let message: String
  }

  /// The end of a pause that begins now; nothing where it holds until somebody ends it.
  ///
  /// - Parameters:
  ///   - length: How long, such as `2h`.
  ///   - until: A date and time, UTC unless it says more.
  ///   - mark: What the names of the two begin with: `--` on the command line.
  /// - Throws: `bad_duration`, `bad_time`, or `conflict` where both are given.
  public static func of(
    length: String?, until: String?, now: Timestamp, mark: String = ""
  ) throws(Problem) -> Timestamp? {
    switch (length, until) {
    case (_?, _?):
      throw Problem(code: "conflict", message: "\(mark)for and \(mark)until can't both be given; leave one of them out")
    case (let length?, nil):
      let duration: Duration
      do throws(DurationTextError) {
        duration = try Duration(durationText: length)
      } catch {
        throw Problem(code: "bad_duration", message: "\(mark)for: \(error.message)")
      }
      guard duration > .zero else {
        throw Problem(code: "bad_duration", message: "\(mark)for: expected more than \(length)")
      }
      return now + duration
    case (nil, let until?):
      guard let instant = Timestamp(text: until) else {
        throw Problem(
          code: "bad_time",
          message: "\(mark)until: expected a date and time such as 2026-12-24T18:00Z, found \(until)")
      }
      guard instant > now else {
        throw Problem(
          code: "bad_time", message: "\(mark)until: \(instant.minuteText) UTC is past: it is \(now.minuteText) UTC now")
      }
      return instant
    case (nil, nil):
      return nil
    }
  }
}
