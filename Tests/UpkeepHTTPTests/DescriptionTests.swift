import Foundation
import Testing
import UpkeepCore

@testable import UpkeepHTTP

/// The API's own description against the routes.
@Suite struct DescriptionTests {
  private let host = FakeHost()

  private func members(_ value: JSONValue?) -> [String: JSONValue] {
    guard case .object(let members)? = value else { return [:] }
    return members
  }

  @Test func describesExactlyTheRoutesOfTheAPI() async throws {
    let site = host.site()
    let document = try await site.ask("GET", "/openapi.json").document
    #expect(document["openapi"] == "3.1.0")
    var described: Set<String> = []
    for (path, item) in members(document["paths"]) {
      for method in members(item).keys { described.insert("\(method.uppercased()) \(path)") }
    }
    let pages: Set<String> = [
      "GET /", "GET /tasks/{task}", "GET /runs/{run}", "GET /timeline", "GET /configuration", "GET /login",
      "POST /login", "POST /logout", "GET /assets/app.css", "GET /assets/app.js", "GET /assets/icon.svg",
    ]
    let routes = Set(site.routes.map { "\($0.method) \($0.template)" })
    #expect(described == routes.subtracting(pages))
    #expect(pages.isSubset(of: routes))
    #expect(described.count == 24)
  }

  /// The README's table is that of the routes: `| \`GET /healthz\` | Whether … |`.
  @Test func theReadmeListsTheRoutes() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    let table = try #require(readme.components(separatedBy: "<!-- routes -->\n").last)
    let found = table.components(separatedBy: "<!-- end -->")[0]
    let rows = host.site().routes.filter(\.isDescribed).map { "| `\($0.method) \($0.template)` | \($0.summary) |\n" }
    let expected = "| route | what it does |\n|---|---|\n" + rows.joined()
    #expect(found == expected, "the table is:\n\(expected)")
  }

  @Test func everyReferenceIsThereAndEveryOperationHasAName() async throws {
    let document = try await host.site().ask("GET", "/openapi.json").document
    let schemas = members(members(document["components"])["schemas"])
    var names: [String] = []
    func look(_ value: JSONValue) {
      switch value {
      case .object(let members):
        if case .string(let reference)? = members["$ref"] {
          #expect(schemas[String(reference.dropFirst(21))] != nil, "\(reference)")
        }
        if case .string(let name)? = members["operationId"] { names.append(name) }
        for value in members.values { look(value) }
      case .array(let values): for value in values { look(value) }
      default: break
      }
    }
    look(.object(document))
    #expect(names.count == 24 && Set(names).count == 24)
  }

  @Test func saysThatATokenIsWanted() async throws {
    let site = host.site(AccessRules(listen: "127.0.0.1", token: "t"))
    let document = try await site.ask("GET", "/openapi.json", headers: ["authorization": "Bearer t"]).document
    #expect(document["security"] == .array([.object(["token": .array([])])]))
    let health = members(members(members(document["paths"])["/healthz"])["get"])
    #expect(health["security"] == .array([]))
  }

  @Test(arguments: [
    (Schema.integer(1...3), JSONValue.integer(4), "x: expected a whole number from 1 to 3, found 4"),
    (.integer(), .number(1.5), "x: expected a whole number, found 1.5"),
    (.boolean, "true", "x: expected true or false, found true"),
    (.choice(["a", "b"]), "c", "x: expected one of a, b, found c"),
    (.list(.boolean), .array([.boolean(true), .null]), "x[1]: expected true or false, found none"),
    (.map(.integer()), .object(["k": "v"]), "x.k: expected a whole number, found v"),
    (.optional(.text()), .integer(1), "x: expected a text, found 1"),
    (.object([Schema.Member("a", .boolean)]), .object([:]), "x.a is missing"),
    (.object([Schema.Member("a", .boolean)]), .object(["colour": .null]), "unknown key x.colour; expected a"),
    (.object([]), .object(["b": .null]), "unknown key x.b; expected none"),
    (
      .object([Schema.Member("preview", .text())]), .object(["previw": .null]),
      "unknown key x.previw; did you mean preview?"
    ),
    (.text(pattern: "^a+$", name: "some a"), "b", "x: expected some a, found b"),
    (.named("Started"), .array([]), "x: expected an object with mode, run_id, status, task, url, found a list"),
  ])
  func aShapeSaysWhatIsWrong(_ schema: Schema, _ value: JSONValue, _ message: String) {
    #expect(schema.fault(in: value, at: "x")?.message == message)
  }

  @Test(arguments: [
    (Schema.any, JSONValue.null), (.optional(.integer()), .null), (.number, .integer(1)),
    (.either([.boolean, .text()]), "x"), (.object([Schema.Member("a", .any, isRequired: false)]), .object([:])),
    (.runID, "01M7XY2W6P2NBJ71JT0T71F6M4"), (.integer(1...3), .integer(3)),
  ])
  func aShapeTakesWhatFits(_ schema: Schema, _ value: JSONValue) {
    #expect(schema.fault(in: value) == nil)
  }
}
