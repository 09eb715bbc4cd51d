import Foundation
import Testing
import UpkeepCore

@testable import UpkeepHTTP

extension Site {
  /// Asks as a program on this machine does.
  func ask(
    _ method: String, _ target: String, _ body: String? = nil, headers: [String: String] = [:]
  ) async throws -> Answer {
    var fields = ["host": "127.0.0.1:8787"]
    if method != "GET", method != "HEAD" { fields["content-type"] = "application/json" }
    fields.merge(headers) { $1 }
    guard let request = WebRequest(method, target, headers: fields, body: Array((body ?? "").utf8)) else {
      return Answer(WebResponse(status: 400))
    }
    let answer = Answer(await respond(to: request))
    expectDeclared(request, answer)
    return answer
  }

  /// Every answer of every test is one that the API's description knows: its status, its type and its document's shape.
  private func expectDeclared(_ request: WebRequest, _ answer: Answer) {
    let type = answer.response.header("Content-Type")
    if type == "application/problem+json" {
      let fault = Schema.named("Problem").fault(in: .object(answer.document))
      #expect(fault == nil, "\(answer.text)")
    }
    let found = routes.first { $0.method == request.method && $0.match(request.path) != nil }
    guard let route = found, route.isDescribed else { return }
    let place = "\(route.method) \(route.template): \(answer.status)"
    guard let declared = route.answers.first(where: { $0.status == answer.status }) else {
      let isProblem = Route.commonProblems.contains(answer.status) || route.problems.contains(answer.status)
      #expect(isProblem, "\(place) isn't declared")
      #expect(type == "application/problem+json" || type?.hasPrefix("text/html") == true, "\(place)")
      return
    }
    switch declared.content {
    case .json(let schema):
      let fault = schema.fault(in: .object(answer.document))
      #expect(fault == nil, "\(place) \(answer.text.prefix(300))")
    case .text(let declared): #expect(type?.hasPrefix(declared) == true, "\(place)")
    case .events: #expect(type == "text/event-stream", "\(place)")
    case .page: break
    case .nothing: #expect(answer.response.body.isEmpty, "\(place)")
    }
  }
}

/// An answer with its document.
struct Answer {
  let response: WebResponse
  init(_ response: WebResponse) { self.response = response }

  var status: Int { response.status }
  var text: String { String(decoding: response.body, as: UTF8.self) }
  var document: [String: JSONValue] {
    guard case .object(let members)? = try? JSONDecoder().decode(JSONValue.self, from: Data(response.body)) else {
      return [:]
    }
    return members
  }
  var code: String? {
    guard case .string(let code)? = document["code"] else { return nil }
    return code
  }
}
