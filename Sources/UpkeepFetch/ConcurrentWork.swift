/// Does work for many elements, a few at a time.
public enum ConcurrentWork {
  /// Calls `work` for each element, at most `limit` at a time, in their order; hands each value to `take`, one after the
  /// other, in the order in which they come.
  ///
  /// While `take` works no new element begins, and what has begun goes on.
  /// - Throws: The first error; what has begun is cancelled then.
  public static func forEach<Element: Sendable, Value: Sendable>(
    _ elements: [Element], limit: Int, _ work: @escaping @Sendable (Element) async throws -> Value,
    take: (Value) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Value.self) { group in
      var rest = elements[...]
      func begin() {
        if let element = rest.popFirst() { group.addTask { try await work(element) } }
      }
      for _ in 0..<max(1, limit) { begin() }
      while let value = try await group.next() {
        try await take(value)
        begin()
      }
    }
  }
}
