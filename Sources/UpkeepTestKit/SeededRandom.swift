import Synchronization
public import UpkeepCore

/// Random numbers that are the same for the same seed (SplitMix64).
public final class SeededRandom: RandomSource {
  private let state: Mutex<UInt64>

  /// Creates a source.
  public init(seed: UInt64 = 1) {
    state = Mutex(seed)
  }

  /// The next 64 bits.
  public func next() -> UInt64 {
    state.withLock { state in
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }
  }

  /// A number from 0 up to but not including `bound`.
  public func below(_ bound: Int) -> Int {
    Int(next() % UInt64(max(1, bound)))
  }

  /// One of some values.
  public func pick<Value>(_ values: [Value]) -> Value {
    values[below(values.count)]
  }
}
