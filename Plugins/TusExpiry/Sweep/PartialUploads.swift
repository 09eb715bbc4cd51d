/// The parts that unfinished uploads are to be made of.
struct PartialUploads {
  /// How many are remembered; beyond it every part stays.
  static let most = 100_000

  private var names: Set<[UInt8]> = []
  private var isFull = false
  /// Whether there is a part whose fate hangs on this list.
  var isNeeded = false

  /// Adds what a sidecar lists: ids, or addresses that end in them.
  mutating func list(_ parts: [[UInt8]]) {
    for part in parts {
      guard names.count < Self.most else {
        isFull = true
        return
      }
      names.insert(Array(Sidecar.lastComponent(part)))
    }
  }

  /// Whether a part is on the list.
  func contains(_ stem: EntryName) -> Bool {
    isFull || names.contains(Array(stem.bytes))
  }
}
