import UpkeepCore

/// A node of a YAML document with its exact place in the file.
struct YAMLNode: Hashable, Sendable {
  /// How a scalar is written.
  enum ScalarStyle: Hashable, Sendable {
    case plain, singleQuoted, doubleQuoted, literal, folded
  }

  /// How a collection is written.
  enum CollectionStyle: Hashable, Sendable {
    case block, flow
  }

  /// What a node holds.
  indirect enum Content: Hashable, Sendable {
    case scalar(String, ScalarStyle)
    case sequence([YAMLNode], CollectionStyle)
    case mapping([YAMLPair], CollectionStyle)
    /// A reference to an anchor, and the node it stands for.
    case alias(String, YAMLNode)
  }

  var content: Content
  /// The node itself: without its anchor and tag, without blanks and comments around it.
  var range: SourceRange
  /// The anchor's name.
  var anchor: String?
  /// The tag in full, such as `tag:yaml.org,2002:str`.
  var tag: String?

  /// The node, or the one it refers to.
  var resolved: YAMLNode {
    if case .alias(_, let target) = content { target.resolved } else { self }
  }

  /// What stands at one step of a path: the value of a key, or the part of a list with that number, from 0.
  func part(_ step: String) -> YAMLNode? {
    switch content {
    case .mapping(let pairs, _): pairs.first { $0.key == step }?.value
    case .sequence(let items, _): Int(step).flatMap { items.indices.contains($0) ? items[$0] : nil }
    default: nil
    }
  }
}

/// A key of a mapping and its value.
struct YAMLPair: Hashable, Sendable {
  var key: String
  var keyRange: SourceRange
  var value: YAMLNode
}
