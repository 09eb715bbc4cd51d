/// A line of runs: first come, first served. Leaving out of turn costs nothing until its turn would come.
struct RunLine: Sendable {
  private var ids: [String] = []
  private var first = 0

  mutating func append(_ id: String) {
    ids.append(id)
  }

  mutating func next() -> String? {
    guard first < ids.count else { return nil }
    defer { first += 1 }
    if first > 1000, first * 2 > ids.count {
      ids.removeFirst(first)
      first = 0
    }
    return ids[first]
  }

  /// All in the line, in order; the line is empty then.
  mutating func removeAll() -> [String] {
    defer {
      ids = []
      first = 0
    }
    return Array(ids[first...])
  }
}
