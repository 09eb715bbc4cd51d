import UpkeepCore

/// A collection that is being read.
struct YAMLFrame {
  enum Kind: Hashable {
    case sequence, mapping
  }

  /// What the next value of a mapping belongs to.
  enum Key: Hashable {
    case expected
    case given(String, SourceRange)
    /// To a key that was refused.
    case dropped
  }

  let kind: Kind
  let style: YAMLNode.CollectionStyle
  let start: Int
  let anchor: String?
  let tag: String?
  var items: [YAMLNode] = []
  var pairs: [YAMLPair] = []
  var keys: [String: SourceRange] = [:]
  var key = Key.expected
  /// How many values it has, once aliases are written out.
  var size = 1
  /// Where its last part ends.
  var lastEnd: Int?

  init(kind: Kind, style: YAMLNode.CollectionStyle, start: Int, anchor: String?, tag: String?) {
    self.kind = kind
    self.style = style
    self.start = start
    self.anchor = anchor
    self.tag = tag
  }

  /// Whether a key comes next.
  var expectsKey: Bool {
    kind == .mapping && key == .expected
  }

  mutating func begin(_ text: String, _ range: SourceRange) {
    key = .given(text, range)
    keys[text] = range
  }

  mutating func add(_ node: YAMLNode, size added: Int) {
    size += added
    lastEnd = node.range.end.offset
    if kind == .sequence {
      items.append(node)
    } else {
      if case .given(let text, let range) = key { pairs.append(YAMLPair(key: text, keyRange: range, value: node)) }
      key = .expected
    }
  }
}
