/// Reads the texts of many dates and times, one after the other.
///
/// Neighbours in a table often share their minute: of such a text only the seconds are read.
public struct TimestampReader: Sendable {
  /// The text up to the minute, its 16 bytes as two words, and its instant in microseconds since 1970.
  private var minute: (UInt64, UInt64)?
  private var start: Int64 = 0

  /// Creates a reader that has seen nothing.
  public init() {}

  /// Reads what ``Timestamp/parse(_:)`` reads.
  ///
  /// - Returns: Nothing for a text that is no date and time.
  public mutating func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Timestamp? {
    guard Timestamp.isPlain(bytes) else { return Timestamp.parse(bytes) }
    let raw = UnsafeRawBufferPointer(bytes)
    let words = (raw.loadUnaligned(as: UInt64.self), raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    // What follows the seconds may still be an offset, which is read with the rest.
    if let minute, words == minute, let seconds = Timestamp.microsecondsOfMinute(bytes) {
      return Timestamp(microseconds: start + seconds)
    }
    guard let instant = Timestamp.parse(bytes) else { return nil }
    guard Timestamp.separatesAsPlain(bytes), let seconds = Timestamp.microsecondsOfMinute(bytes) else { return instant }
    (minute, start) = (words, instant.microseconds - seconds)
    return instant
  }
}
