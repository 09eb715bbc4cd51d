public import UpkeepCore

/// How much later than its slot a run starts, so that many hosts (or many tasks) with the same schedule don't all start
/// at once.
///
/// The delay is no dice: the same host and task always get the same share of the longest delay, so a run has its usual
/// time of day, two runs keep their distance, and a restart changes nothing.
public struct Jitter: Hashable, Sendable {
  /// The delay is less than this.
  public var longest: Duration
  /// The host's part of the share: its name.
  public var host: String
  /// The task's part of the share: its name.
  public var task: String

  /// Creates a jitter; `.zero` makes none.
  public init(upTo longest: Duration, host: String, task: String) {
    self.longest = longest
    self.host = host
    self.task = task
  }

  /// The delay of a slot, in whole milliseconds: less than ``longest``, and less than the time to the slot that follows,
  /// so that a run never starts after the next slot and slots keep their order.
  public func delay(of slot: Timestamp, in schedule: Schedule) -> Duration {
    guard longest > .zero else { return .zero }
    var bound = longest
    if let next = schedule.next(after: slot) { bound = min(bound, next - slot) }
    let milliseconds = UInt64(max(0, bound.milliseconds))
    // The share is a fraction of 2⁶⁴; the high half of the product is that fraction of the bound, rounded down.
    return .milliseconds(Int64(share.multipliedFullWidth(by: milliseconds).high))
  }

  /// FNV-1a of the two names, its bits mixed as SplitMix64 does, since FNV alone leaves the high bits of short texts alike.
  private var share: UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in Array(host.utf8) + [0] + Array(task.utf8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
    return hash ^ (hash >> 31)
  }
}
