import Foundation

/// How long the tests go on: `UPKEEP_SOAK=1` makes them go through all their counts.
enum Soak {
  static let isOn = ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == "1"

  /// Seeds from 1, so many of them.
  static func seeds(_ usual: Int, soak: Int) -> ClosedRange<UInt64> {
    1...UInt64(isOn ? soak : usual)
  }
}

/// Numbers from 1 to `last`, so many of them, the first and the last among them.
func spread(_ count: Int, through last: Int) -> [Int] {
  guard last > 1, count > 1 else { return last >= 1 ? [1] : [] }
  return Set((0..<count).map { 1 + $0 * (last - 1) / (count - 1) }).sorted()
}

/// Does something for each item, for so many of them at a time.
func inParallel<Item: Sendable>(
  _ width: Int, _ items: [Item], _ body: @escaping @Sendable (Item) async throws -> Void
) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for (index, item) in items.enumerated() {
      if index >= width { try await group.next() }
      group.addTask { try await body(item) }
    }
    try await group.waitForAll()
  }
}
