import UpkeepCore

/// Which task is due next: a binary heap, so that ten thousand idle tasks cost one timer.
///
/// An entry isn't removed where its task gets another time: who takes one out compares it with what holds now.
struct WakeHeap: Sendable {
  /// When a task is to be looked at.
  struct Entry: Sendable, Equatable {
    var at: Timestamp
    var task: String
    /// The order of arrival, so that tasks of one instant keep the order of the file.
    var number: Int

    func comes(before other: Entry) -> Bool {
      at == other.at ? number < other.number : at < other.at
    }
  }

  private var entries: [Entry] = []
  private var count = 0

  var next: Entry? { entries.first }

  mutating func add(_ task: String, at: Timestamp) {
    count += 1
    entries.append(Entry(at: at, task: task, number: count))
    var child = entries.count - 1
    while child > 0, entries[child].comes(before: entries[(child - 1) / 2]) {
      entries.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Takes the next entry out where its time has come.
  mutating func take(by now: Timestamp) -> Entry? {
    guard let first = entries.first, first.at <= now else { return nil }
    entries.swapAt(0, entries.count - 1)
    entries.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < entries.count && entries[child].comes(before: entries[least]) {
        least = child
      }
      guard least != parent else { return first }
      entries.swapAt(parent, least)
      parent = least
    }
  }

  mutating func removeAll() {
    entries.removeAll(keepingCapacity: true)
  }
}
