import UpkeepCore

/// The API's own description, in OpenAPI 3.1: made of what the routes declare, which is also what they are held to.
struct Description {
  private let routes: [Route]
  private let hasToken: Bool

  /// Creates the description of some routes.
  init(_ routes: [Route], hasToken: Bool) {
    self.routes = routes.filter(\.isDescribed)
    self.hasToken = hasToken
  }

  /// The document.
  var document: JSONValue {
    var paths: [String: [String: JSONValue]] = [:]
    for route in routes { paths[route.template, default: [:]][route.method.lowercased()] = operation(route) }
    var document: [String: JSONValue] = [
      "openapi": "3.1.0",
      "info": .object([
        "title": "Upkeep", "version": .string(Upkeep.version),
        "description": "Runs maintenance tasks on a schedule, and says what they did.",
      ]),
      "paths": .object(paths.mapValues { .object($0) }),
    ]
    var components: [String: JSONValue] = ["schemas": .object(Shapes.named.mapValues(\.document))]
    if hasToken {
      components["securitySchemes"] = .object(["token": .object(["type": "http", "scheme": "bearer"])])
      document["security"] = .array([.object(["token": .array([])])])
    }
    document["components"] = .object(components)
    return .object(document)
  }

  private func operation(_ route: Route) -> JSONValue {
    var operation: [String: JSONValue] = [
      "summary": .string(route.summary), "operationId": .string(Self.identifier(route)),
      "responses": .object(responses(route)),
    ]
    let inPath = route.variables.map { name in
      JSONValue.object([
        "name": .string(name), "in": "path", "required": .boolean(true),
        "schema": (name == "run" ? Schema.runIDBeginning : .text()).document,
      ])
    }
    let others = route.parameters.map { parameter in
      JSONValue.object([
        "name": .string(parameter.name), "in": .string(parameter.place), "required": .boolean(false),
        "description": .string(parameter.help), "schema": parameter.schema.document,
      ])
    }
    if !inPath.isEmpty || !others.isEmpty { operation["parameters"] = .array(inPath + others) }
    if let body = route.body {
      let content = JSONValue.object(["application/json": .object(["schema": body.document])])
      operation["requestBody"] = .object(["required": .boolean(true), "content": content])
    }
    if hasToken, AccessRules.open.contains(route.template.split(separator: "/").map(String.init)) {
      operation["security"] = .array([])
    }
    return .object(operation)
  }

  private func responses(_ route: Route) -> [String: JSONValue] {
    var responses: [String: JSONValue] = [:]
    for answer in route.answers {
      var response: [String: JSONValue] = ["description": .string(answer.help)]
      switch answer.content {
      case .json(let schema): response["content"] = .object(["application/json": .object(["schema": schema.document])])
      case .text(let type): response["content"] = .object([type: .object(["schema": Schema.text().document])])
      case .events:
        response["content"] = .object(["text/event-stream": .object(["schema": Schema.text().document])])
      case .page, .nothing: break
      }
      responses["\(answer.status)"] = .object(response)
    }
    let problem: [String: JSONValue] = [
      "application/problem+json": .object(["schema": Schema.named("Problem").document])
    ]
    for status in Route.commonProblems.union(route.problems) {
      // A status that a route uses for an answer of its own is one of common problems too, such as of a broken body.
      guard case .object(var response)? = responses["\(status)"] else {
        responses["\(status)"] = .object(["description": .string(Problem.title(status)), "content": .object(problem)])
        continue
      }
      if case .object(let content)? = response["content"] {
        response["content"] = .object(content.merging(problem) { first, _ in first })
      }
      responses["\(status)"] = .object(response)
    }
    return responses
  }

  /// `get_tasks_task` of `GET /api/v1/tasks/{task}`
  private static func identifier(_ route: Route) -> String {
    let words = route.template.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
    return ([route.method.lowercased()] + words.filter { $0 != "api" && $0 != "v1" }.map(String.init))
      .joined(separator: "_")
  }
}
