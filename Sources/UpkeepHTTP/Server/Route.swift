import Foundation
import UpkeepCore

/// One address and what answers there, with all that the API's description says of it.
public struct Route: Sendable {
  /// The method.
  public let method: String
  /// The path, its variable parts in braces: `/api/v1/tasks/{task}`.
  public let template: String
  /// What it does, in one line.
  public let summary: String
  /// The parameters behind the question mark and the header fields that count.
  let parameters: [Parameter]
  /// The body that it takes; nothing where it takes none.
  let body: Schema?
  /// What it answers with when all is well, by status.
  let answers: [RouteAnswer]
  /// The statuses of its own problems; those that any route may have aren't among them.
  let problems: [Int]
  /// The status of the answer to a body of another shape.
  private let bodyStatus: Int
  private let parts: [String]
  /// Whether its answer takes microseconds and waits for no disk but the state store's: it may be made on the thread that
  /// looks after connections then.
  private var isQuick: @Sendable () async -> Bool = { false }
  let handle: @Sendable (RoutedRequest) async throws -> WebResponse

  init(
    _ method: String, _ template: String, _ summary: String, _ parameters: [Parameter] = [], body: Schema? = nil,
    bodyStatus: Int = 400, answers: [RouteAnswer], problems: [Int] = [],
    _ handle: @escaping @Sendable (RoutedRequest) async throws -> WebResponse
  ) {
    self.method = method
    self.template = template
    self.summary = summary
    self.parameters = parameters
    self.body = body ?? (method == "GET" ? nil : .object([]))
    self.answers = answers
    self.problems = problems
    self.bodyStatus = bodyStatus
    self.handle = handle
    parts = template.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
  }

  /// The same route, which is quick where `condition` holds.
  func quick(where condition: @escaping @Sendable () async -> Bool = { true }) -> Route {
    var route = self
    route.isQuick = condition
    return route
  }

  /// The statuses that any route may answer with.
  static let commonProblems: Set<Int> = [400, 401, 403, 404, 405, 408, 413, 415, 421, 500, 503]

  /// Whether it is a part of the API's description: pages for people aren't.
  var isDescribed: Bool {
    !answers.contains { if case .page = $0.content { true } else { false } }
  }

  /// The variable parts of the path.
  var variables: [String] { parts.filter { $0.first == "{" }.map { String($0.dropFirst().dropLast()) } }

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

  /// Answers a request whose parameters and body have the shapes that are declared.
  func answer(_ request: WebRequest, _ values: [String: String]) async throws -> WebResponse {
    if let problem = parameterProblem(request) { throw problem }
    let routed = RoutedRequest(request, values, document: try document(of: request))
    if await isQuick() { return try await handle(routed) }
    return try await withTaskExecutorPreference(globalConcurrentExecutor) { try await handle(routed) }
  }

  /// The first parameter that isn't declared: who misspells `dry_run` must hear of it before anything is written.
  ///
  /// The applications' own routes take what their front ends send; what isn't the API has no parameters to mistake.
  private func parameterProblem(_ request: WebRequest) -> Problem? {
    guard template.hasPrefix("/api/v1/") else { return nil }
    let known = parameters.filter { $0.place == "query" }.map(\.name).sorted()
    guard let unknown = request.query.keys.filter({ !known.contains($0) }).min() else { return nil }
    let hint = NameSuggestion.hint(for: unknown, among: known, none: "there is none here")
    return Problem(400, "unknown_parameter", "unknown query parameter \(unknown); \(hint)")
  }

  /// Where a document isn't JSON, and why. Of the two parsers only this one says it.
  private static func place(in document: [UInt8]) -> String {
    do {
      _ = try JSONSerialization.jsonObject(with: Data(document), options: .fragmentsAllowed)
      return ""
    } catch {
      return ((error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String).map { ": \($0)" } ?? ""
    }
  }

  private func document(of request: WebRequest) throws(Problem) -> JSONValue? {
    guard let body, !request.body.isEmpty, !request.isForm else { return nil }
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(request.body)) else {
      throw Problem(400, "bad_json", "the body isn't JSON\(Self.place(in: request.body))")
    }
    if let fault = body.fault(in: value) { throw Problem(bodyStatus, fault.code, fault.message) }
    return value
  }
}

/// One answer of a route.
struct RouteAnswer: Sendable {
  enum Content: Sendable {
    case json(Schema)
    case text(String)
    case events
    case page
    case nothing
  }

  let status: Int
  let help: String
  let content: Content

  init(_ status: Int, _ help: String, _ content: Content) {
    self.status = status
    self.help = help
    self.content = content
  }

  /// A document of this shape, with status 200.
  static func ok(_ schema: Schema, _ help: String = "Done") -> [RouteAnswer] { [RouteAnswer(200, help, .json(schema))] }
}

/// A parameter behind the question mark, or a header field.
struct Parameter: Sendable {
  let name: String
  let place: String
  let help: String
  let schema: Schema

  init(_ name: String, _ schema: Schema, _ help: String, place: String = "query") {
    self.name = name
    self.schema = schema
    self.help = help
    self.place = place
  }
}

/// A request that has found its route.
struct RoutedRequest: Sendable {
  let request: WebRequest
  /// The body, which has the shape that its route declares; nothing where it is empty.
  let document: JSONValue?
  private let values: [String: String]

  init(_ request: WebRequest, _ values: [String: String], document: JSONValue?) {
    self.request = request
    self.values = values
    self.document = document
  }

  /// A variable part of the path; empty where the route has none of that name.
  func value(_ name: String) -> String { values[name] ?? "" }

  /// The body as a value; nothing where it is empty.
  func body<Document: Decodable>(_ type: Document.Type) throws(Problem) -> Document? {
    guard document != nil else { return nil }
    do {
      return try JSONDecoder().decode(type, from: Data(request.body))
    } catch {
      throw Problem(400, "bad_body", "the body isn't what was expected: \(error)")
    }
  }

  /// A parameter, of the shape that is declared for it.
  ///
  /// - Parameter status: The status of the answer where it has another shape.
  func parameter(_ parameter: Parameter, status: Int = 400) throws(Problem) -> JSONValue? {
    guard let text = request.query[parameter.name] else { return nil }
    let value: JSONValue
    switch parameter.schema {
    case .integer: value = Int(text).map { .integer($0) } ?? .string(text)
    case .boolean: value = text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : .string(text)
    default: value = .string(text)
    }
    if let fault = parameter.schema.fault(in: value, at: parameter.name) {
      throw Problem(status, "bad_parameter", fault.message)
    }
    return value
  }

  /// A parameter that is true or false; false where it isn't given.
  func flag(_ parameter: Parameter) throws(Problem) -> Bool {
    try self.parameter(parameter) == .boolean(true)
  }

  /// A parameter that is a whole number.
  func number(_ parameter: Parameter, status: Int = 400) throws(Problem) -> Int? {
    guard case .integer(let number) = try self.parameter(parameter, status: status) else { return nil }
    return number
  }

  /// A parameter that is a text.
  func text(_ parameter: Parameter) throws(Problem) -> String? {
    guard case .string(let text) = try self.parameter(parameter) else { return nil }
    return text
  }
}
