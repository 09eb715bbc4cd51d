import UpkeepCore

/// One stretch of a file's bytes and what comes in its place.
struct YAMLSplice: Hashable, Sendable {
  /// The first byte that goes.
  var start: Int
  /// The first byte behind them that stays; `start` where nothing goes.
  var end: Int
  /// What comes.
  var text: String

  /// The bytes with the stretch replaced.
  func applied(to bytes: [UInt8]) -> [UInt8] {
    Array(bytes[..<start]) + Array(text.utf8) + Array(bytes[end...])
  }
}

/// Why a value can't be changed alone: one sentence, what to do included.
struct YAMLSpliceRefusal: Error {
  var reason: String

  init(_ reason: String) {
    self.reason = reason
  }
}

extension YAMLNode {
  /// Whether both hold the same, written in the same way: places don't count.
  func isSame(as other: YAMLNode) -> Bool {
    guard anchor == other.anchor, tag == other.tag else { return false }
    switch (content, other.content) {
    case (.scalar(let left, let leftStyle), .scalar(let right, let rightStyle)):
      return left == right && leftStyle == rightStyle
    case (.alias(let left, let leftTarget), .alias(let right, let rightTarget)):
      return left == right && leftTarget.isSame(as: rightTarget)
    case (.sequence(let left, let leftStyle), .sequence(let right, let rightStyle)):
      return leftStyle == rightStyle && left.count == right.count && zip(left, right).allSatisfy { $0.isSame(as: $1) }
    case (.mapping(let left, let leftStyle), .mapping(let right, let rightStyle)):
      return leftStyle == rightStyle && left.count == right.count
        && zip(left, right).allSatisfy { $0.key == $1.key && $0.value.isSame(as: $1.value) }
    default: return false
    }
  }

  /// Whether this is `old` with nothing but the scalar at a path put in or replaced.
  func differs(from old: YAMLNode?, onlyAt path: ArraySlice<String>, as value: ScalarText) -> Bool {
    guard let key = path.first else {
      guard case .scalar(let text, let style) = content, style == .plain || value.mayBeQuoted || style == value.style
      else { return false }
      let isNull = value.style == .plain && CoreSchema.content(ofPlain: value.text) == .null
      guard isNull ? CoreSchema.content(ofPlain: text) == .null && style == .plain : text == value.text else {
        return false
      }
      guard let old else { return anchor == nil && tag == nil }
      if case .alias = old.content { return anchor == nil && tag == nil }
      return anchor == old.anchor && tag == old.tag
    }
    if case .sequence(let items, let style) = content {
      guard case .sequence(let earlier, style)? = old?.content, old?.anchor == anchor, old?.tag == tag,
        earlier.count == items.count, let number = Int(key), items.indices.contains(number)
      else { return false }
      return items.indices.allSatisfy { index in
        index == number
          ? items[index].differs(from: earlier[index], onlyAt: path.dropFirst(), as: value)
          : items[index].isSame(as: earlier[index])
      }
    }
    guard case .mapping(let pairs, _) = content else { return false }
    var earlier: [YAMLPair] = []
    if let old {
      guard old.anchor == anchor, old.tag == tag else { return false }
      switch old.content {
      case .mapping(let pairs, _): earlier = pairs
      case .scalar(let text, .plain) where CoreSchema.content(ofPlain: text) == .null: break
      default: return false
      }
    }
    let known = Dictionary(earlier.map { ($0.key, $0.value) }) { first, _ in first }
    guard pairs.count == earlier.count + (known[key] == nil ? 1 : 0) else { return false }
    return pairs.allSatisfy { pair in
      if pair.key == key { return pair.value.differs(from: known[key], onlyAt: path.dropFirst(), as: value) }
      return known[pair.key].map { pair.value.isSame(as: $0) } ?? false
    }
  }
}
