import Testing
import UpkeepCore

@testable import UpkeepConfiguration

/// The source text of each node of a document, in the order of the file: `key` or `key=value`, `-value`.
private func slices(_ yaml: String) throws -> [String] {
  let text = SourceText(Array(yaml.utf8))
  let (root, problems) = YAMLParser.parse(text, path: "f")
  try #require(problems == [])
  func slice(_ range: SourceRange) -> String {
    String(decoding: text.bytes[range.start.offset..<range.end.offset], as: UTF8.self)
  }
  func visit(_ node: YAMLNode) -> [String] {
    switch node.content {
    case .scalar, .alias: []
    case .sequence(let items, _): items.flatMap { ["-" + slice($0.range)] + visit($0) }
    case .mapping(let pairs, _):
      pairs.flatMap { [slice($0.keyRange) + "=" + slice($0.value.range)] + visit($0.value) }
    }
  }
  return visit(try #require(root))
}

@Suite struct YAMLTreeTests {
  @Test(arguments: [
    ("a: 24h   # often\nb: x y \n", ["a=24h", "b=x y"]),
    ("a: 'it''s'\nb: \"q\\\"\" # c\n", ["a='it''s'", "b=\"q\\\"\""]),
    ("\"k e\" : 1\n? b\n: 2\n", ["\"k e\"=1", "b=2"]),
    ("a:\nb:   # nothing\nc: ~\n", ["a=", "b=", "c=~"]),
    ("a: &x 24h\nb: !!str 5\nc: !!str &y 'z'\nd: *x\n", ["a=24h", "b=5", "c='z'", "d=*x"]),
    ("a: &x\nb: 1\n", ["a=", "b=1"]),
    ("a: {b: 1, c: [x, 'y'] }  # f\n", ["a={b: 1, c: [x, 'y'] }", "b=1", "c=[x, 'y']", "-x", "-'y'"]),
    ("a: &x {b: 1}\nc: !!seq [d]\n", ["a={b: 1}", "b=1", "c=[d]", "-d"]),
    ("a:\n  b: 1\n\n  # inside\n  c: 2\n\n# behind\nd: 3\n", ["a=b: 1\n\n  # inside\n  c: 2", "b=1", "c=2", "d=3"]),
    (
      "a:\n  - x\n  - y: 1\n    z: 2\n\nb: 3\n",
      ["a=- x\n  - y: 1\n    z: 2", "-x", "-y: 1\n    z: 2", "y=1", "z=2", "b=3"]
    ),
    ("a: &m\n  # why\n  b: 1\nc: 2\n", ["a=b: 1", "b=1", "c=2"]),
    ("a: |\n  one\n  two\n\nb: >-\n  three\n", ["a=|\n  one\n  two", "b=>-\n  three"]),
    ("a: one\n  two\nb: 1\n", ["a=one\n  two", "b=1"]),
    ("é: 'ü' # ö\nb: 日本\n", ["é='ü'", "b=日本"]),
    ("\u{FEFF}a: 1\nb: é\n", ["a=1", "b=é"]),
    ("a: 1\r\nb:\r\n  c: 2\r\n", ["a=1", "b=c: 2", "c=2"]),
    ("a: 🙂 # x\nb: e\u{301}\n", ["a=🙂", "b=e\u{301}"]),
    ("a:\n- x\n-\n- y: 1\nb: 2\n", ["a=- x\n-\n- y: 1", "-x", "-", "-y: 1", "y=1", "b=2"]),
    ("a: []\nb: {}\n", ["a=[]", "b={}"]),
    ("---\na: 1\n...\n", ["a=1"]),
    ("a: 'x\n  y'\nb: 1", ["a='x\n  y'", "b=1"]),
  ])
  func nodesKnowTheirExactBytes(_ yaml: String, _ expected: [String]) throws {
    #expect(try slices(yaml) == expected)
  }

  @Test func columnsCountCharactersAndOffsetsBytes() throws {
    let text = SourceText(Array("é🙂: {日: x}\r\nb: y\n".utf8))
    let (root, _) = YAMLParser.parse(text, path: "f")
    guard case .mapping(let pairs, _) = try #require(root).content, case .mapping(let inner, _) = pairs[0].value.content
    else {
      Issue.record("expected maps")
      return
    }
    #expect(inner[0].value.range.start == SourcePosition(line: 1, column: 9, offset: 14))
    #expect(inner[0].value.range.end == SourcePosition(line: 1, column: 10, offset: 15))
    #expect(pairs[1].value.range.start == SourcePosition(line: 2, column: 4, offset: 21))
  }

  @Test func keepsStylesAndAnchors() throws {
    let text = SourceText(Array("a: &n 'x'\nb: |\n  y\nc: *n\nd: [z]\n".utf8))
    let (root, problems) = YAMLParser.parse(text, path: "f")
    #expect(problems == [])
    guard case .mapping(let pairs, .block) = try #require(root).content else {
      Issue.record("expected a block map")
      return
    }
    #expect(pairs[0].value.content == .scalar("x", .singleQuoted))
    #expect(pairs[0].value.anchor == "n")
    #expect(pairs[1].value.content == .scalar("y\n", .literal))
    #expect(pairs[2].value.content == .alias("n", pairs[0].value))
    #expect(pairs[2].value.resolved == pairs[0].value)
    guard case .sequence(let items, .flow) = pairs[3].value.content else {
      Issue.record("expected a flow list")
      return
    }
    #expect(items.map(\.content) == [.scalar("z", .plain)])
  }

  @Test func longLinesHaveRightColumns() {
    let text = SourceText(Array((String(repeating: "é", count: 1000) + "\n" + String(repeating: "a", count: 100)).utf8))
    for column in [1, 16, 17, 127, 128, 129, 500, 1000] {
      let place = text.position(atOffset: 2 * (column - 1))
      #expect(place == SourcePosition(line: 1, column: column, offset: 2 * (column - 1)))
    }
    #expect(text.position(atOffset: 2001 + 99) == SourcePosition(line: 2, column: 100, offset: 2100))
  }
}
