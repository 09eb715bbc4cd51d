import UpkeepCore

/// Turns a YAML tree into configuration nodes: types scalars by the core schema, follows aliases, puts in variables.
///
/// A plain scalar is typed again after its variables are replaced (so `${PORT}` may give a number, and an empty
/// variable an absent value); a quoted one stays a text.
struct NodeConversion {
  let text: SourceText
  let path: String
  let expansion: VariableExpansion
  private(set) var problems: [Diagnostic] = []
  /// Where values stand that couldn't be made out; what else is wrong with them follows from that.
  private(set) var failed: Set<ValueOrigin> = []

  private let expands: Bool

  init(text: SourceText, path: String, environment: [String: String], expands: Bool = true) {
    self.expands = expands
    self.text = text
    self.path = path
    expansion = VariableExpansion(environment: environment)
  }

  mutating func convert(_ node: YAMLNode) -> ConfigurationNode {
    let origin = ValueOrigin.file(path: path, range: node.range)
    switch node.content {
    case .alias(_, let target): return convert(target)
    case .sequence(let items, _):
      checkTag(node, is: ["seq"])
      return ConfigurationNode(.list(items.map { convert($0) }), origin: origin)
    case .mapping(let pairs, _):
      checkTag(node, is: ["map"])
      let entries = pairs.map {
        ConfigurationEntry(
          key: $0.key, keyOrigin: .file(path: path, range: $0.keyRange), value: convert($0.value))
      }
      return ConfigurationNode(.map(entries), origin: origin)
    case .scalar(let value, let style):
      let expanded = expand(value, style, node)
      let content = content(expanded, style, node)
      return ConfigurationNode(content, text: expanded, origin: origin)
    }
  }

  private mutating func content(
    _ value: String, _ style: YAMLNode.ScalarStyle, _ node: YAMLNode
  ) -> ConfigurationNode.Content {
    guard let tag = node.tag else { return style == .plain ? CoreSchema.content(ofPlain: value) : .string(value) }
    let name = tag.replacing("tag:yaml.org,2002:", with: "")
    if name == "str" || name == "!" { return .string(value) }
    let content = CoreSchema.content(ofPlain: value)
    switch (name, content) {
    case ("int", .integer), ("float", .number), ("bool", .boolean), ("null", .null): return content
    case ("float", .integer(let number)): return .number(Double(number))
    default:
      if ["int", "float", "bool", "null", "map", "seq"].contains(name) { reportTag(name, node) }
      return content
    }
  }

  private mutating func checkTag(_ node: YAMLNode, is allowed: [String]) {
    guard let tag = node.tag, tag != "!", tag.hasPrefix("tag:yaml.org,2002:") else { return }
    let name = tag.replacing("tag:yaml.org,2002:", with: "")
    if !allowed.contains(name) { reportTag(name, node) }
  }

  private mutating func reportTag(_ name: String, _ node: YAMLNode) {
    problems.append(
      Diagnostic(
        code: "unknown_tag", "the value isn't what its tag !!\(name) says; write the value without a tag",
        at: .file(path: path, range: node.range)))
  }

  private mutating func expand(_ value: String, _ style: YAMLNode.ScalarStyle, _ node: YAMLNode) -> String {
    guard expands, let (expanded, found) = expansion.expand(value) else { return value }
    guard found.isEmpty else {
      failed.insert(.file(path: path, range: node.range))
      report(found, in: value, style, node)
      return value
    }
    return expanded
  }

  private mutating func report(
    _ found: [VariableExpansion.Problem], in value: String, _ style: YAMLNode.ScalarStyle, _ node: YAMLNode
  ) {
    for problem in found {
      problems.append(
        Diagnostic(
          code: problem.code, problem.message,
          at: .file(path: path, range: place(of: problem.offset, in: value, style, node)),
          suggestion: problem.suggestion))
    }
  }

  /// The place of a byte of a scalar's value; the scalar's start where it is written in another way.
  private func place(
    of offset: Int, in value: String, _ style: YAMLNode.ScalarStyle, _ node: YAMLNode
  ) -> SourceRange {
    let quotes = style == .singleQuoted || style == .doubleQuoted ? 1 : 0
    let start = node.range.start.offset + quotes
    let end = node.range.end.offset - quotes
    guard start <= end, end <= text.bytes.count, text.bytes[start..<end].elementsEqual(value.utf8) else {
      return node.range
    }
    return SourceRange(start: text.position(atOffset: start + offset), end: node.range.end)
  }
}
