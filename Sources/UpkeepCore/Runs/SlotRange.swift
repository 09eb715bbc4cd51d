/// Slots in a row that one record stands for.
public struct SlotRange: Hashable, Sendable {
  /// The first.
  public var first: Timestamp
  /// The last.
  public var last: Timestamp
  /// How many there are.
  public var count: Int

  /// Creates a range.
  public init(first: Timestamp, last: Timestamp, count: Int) {
    self.first = first
    self.last = last
    self.count = count
  }

  /// The range with later slots added.
  public func joined(by later: SlotRange) -> SlotRange {
    SlotRange(first: first, last: later.last, count: count + later.count)
  }
}
