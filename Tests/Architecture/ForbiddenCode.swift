/// Code that a part of the house must not contain.
struct ForbiddenCode {
  /// What it is called in messages.
  var name: String
  /// Whether some code (comments and literals blanked) contains it.
  var isIn: @Sendable (String) -> Bool
  /// Why not, and what to do instead.
  var reason: String
  /// Folders and files in which it may stand.
  var allowedIn: [String]

  func violations(in code: SwiftCode, at path: String) -> [Violation] {
    guard !allowedIn.contains(where: { path.hasPrefix($0) }), isIn(code.text) else { return [] }
    return code.lines.enumerated().filter { isIn($0.element) }.map { index, _ in
      Violation(path: path, line: index + 1, message: "\(name): \(reason)")
    }
  }

  private static func code(
    _ name: String, _ pattern: @escaping @Sendable () -> Regex<Substring>, _ reason: String, allowedIn: [String] = []
  ) -> ForbiddenCode {
    ForbiddenCode(name: name, isIn: { $0.contains(pattern()) }, reason: reason, allowedIn: allowedIn)
  }

  private static let edge = ["Sources/UpkeepCore/Time/", "Sources/UpkeepTestKit/", "Sources/UpkeepHost/"]

  static let time: [ForbiddenCode] = [
    code("Date()", { /\bDate\(\)/ }, "take the instant from a WallClock", allowedIn: edge),
    code(
      ".now of the system",
      { /\b(?:Date|ContinuousClock|SuspendingClock|DispatchTime|DispatchWallTime)(?:\(\))?\.now/ },
      "take the instant from an injected clock", allowedIn: edge),
    code(
      ".now in short", { /(?:^|[\s(,\[:])\.now\b/.anchorsMatchLineEndings() },
      "take the instant from an injected clock", allowedIn: edge),
    code("system time", { /\b(?:clock_gettime|gettimeofday|time)\((?:nil|CLOCK_)/ }, "use a clock", allowedIn: edge),
    code("Task.sleep", { /\bTask\.sleep\(/ }, "sleep by the clock of the context", allowedIn: edge),
    code(
      "random numbers",
      { /\.random\(|\.randomElement\(|\.shuffled\(|\.shuffle\(|\bUUID\(\)|SystemRandomNumberGenerator/ },
      "draw them from a RandomSource", allowedIn: edge),
  ]

  static let traps: [ForbiddenCode] = [
    code("try!", { /\btry!/ }, "let the error out"),
    code("fatalError", { /\bfatalError\(/ }, "throw an error that says what to do"),
    code("preconditionFailure", { /\bpreconditionFailure\(/ }, "throw an error that says what to do"),
    code("@unchecked Sendable", { /@unchecked\s+Sendable/ }, "make it safe, by a Mutex or an actor"),
    code("nonisolated(unsafe)", { /nonisolated\(unsafe\)/ }, "make it safe, by a Mutex or an actor"),
  ]

  static let inTests: [ForbiddenCode] = [
    code(
      "sleep in a test", { /\bTask\.sleep\(|(?:^|[^.\w])(?:usleep|nanosleep|sleep)\(/.anchorsMatchLineEndings() },
      "wait for an event"),
    code("XCTest", { /\bimport XCTest\b/ }, "use Swift Testing"),
  ]
}
