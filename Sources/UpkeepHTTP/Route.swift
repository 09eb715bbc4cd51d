/// One address and what answers there.
public struct Route: Sendable {
  /// The method.
  public let method: String
  /// The path, its variable parts in braces: `/api/v1/tasks/{task}`.
  public let template: String
  /// What it does, in one line.
  public let summary: String
  private let parts: [String]
  let handle: @Sendable (RoutedRequest) async throws -> WebResponse

  init(
    _ method: String, _ template: String, _ summary: String,
    _ handle: @escaping @Sendable (RoutedRequest) async throws -> WebResponse
  ) {
    self.method = method
    self.template = template
    self.summary = summary
    self.handle = handle
    parts = template.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
  }

  /// The variable parts of a path; nothing where it is another path.
  func match(_ path: [String]) -> [String: String]? {
    guard path.count == parts.count else { return nil }
    var values: [String: String] = [:]
    for (part, found) in zip(parts, path) {
      if part.first == "{" {
        values[String(part.dropFirst().dropLast())] = found
      } else if part != found {
        return nil
      }
    }
    return values
  }
}

/// A request that has found its route.
struct RoutedRequest: Sendable {
  let request: WebRequest
  private let values: [String: String]

  init(_ request: WebRequest, _ values: [String: String]) {
    self.request = request
    self.values = values
  }

  /// A variable part of the path; empty where the route has none of that name.
  func value(_ name: String) -> String { values[name] ?? "" }

  /// A parameter that is true or false; false where it isn't given.
  func flag(_ name: String) throws(Problem) -> Bool {
    switch request.query[name] {
    case nil, "false": false
    case "true": true
    case let found?: throw Problem(400, "bad_parameter", "\(name): expected true or false, found \(found)")
    }
  }

  /// A parameter that is a whole number.
  func number(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
    guard let text = request.query[name] else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw Problem(
        400, "bad_parameter",
        "\(name): expected a whole number from \(range.lowerBound) to \(range.upperBound), found \(text)")
    }
    return number
  }
}
