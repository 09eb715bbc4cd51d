import UpkeepCore

/// Finds where a value is to be written into a file so that nothing else of it changes: in place of a scalar, or as one
/// more line (within braces: one more entry).
///
/// It proposes; whoever asks reads the result back and takes the first proposal that changes nothing else.
struct YAMLSpliceFinder {
  private let text: SourceText
  private let root: YAMLNode
  private let value: ScalarText
  /// The aliases of the file: the lines of each anchor's first one.
  private let aliases: [String: Int]

  init(_ text: SourceText, root: YAMLNode, value: ScalarText) {
    self.text = text
    self.root = root
    self.value = value
    aliases = Self.aliases(in: root)
  }

  private var bytes: [UInt8] { text.bytes }

  /// Where to write, the best place first.
  ///
  /// - Parameters:
  ///   - path: The keys from the root of the file, and the numbers of lists' parts.
  ///   - siblings: The keys that are declared beside each of them, in their order.
  /// - Throws: What stands in the way.
  func splices(for path: [String], siblings: [[String]]) throws(YAMLSpliceRefusal) -> [YAMLSplice] {
    try splices(in: root, of: nil, path[...], siblings[...], inFlow: false)
  }

  /// - Parameters:
  ///   - node: The value that the path starts in.
  ///   - owner: The key of that value, and the column of the map that it stands in.
  private func splices(
    in node: YAMLNode, of owner: (key: SourceRange, outer: Int)?, _ path: ArraySlice<String>,
    _ siblings: ArraySlice<[String]>, inFlow: Bool
  ) throws(YAMLSpliceRefusal) -> [YAMLSplice] {
    let line = node.range.start.line
    if let anchor = node.anchor, let other = aliases[anchor] {
      throw YAMLSpliceRefusal(
        "the value in line \(line) is shared: line \(other) refers to it as *\(anchor); change it in the file")
    }
    switch node.content {
    case .alias(let name, _):
      guard path.isEmpty else {
        throw YAMLSpliceRefusal(
          "line \(line) takes its values from *\(name), which others share; write them out in the file first")
      }
      return replacements(of: node, style: nil, inFlow: inFlow)
    case .sequence(let items, let style):
      guard let number = path.first.flatMap({ Int($0) }), items.indices.contains(number) else {
        throw YAMLSpliceRefusal("the value in line \(line) is a list; change one of its parts, or all in the file")
      }
      return try splices(
        in: items[number], of: nil, path.dropFirst(), siblings.dropFirst(), inFlow: inFlow || style == .flow)
    case .scalar(let value, let style):
      if path.isEmpty { return try scalarSplices(node, value, style, inFlow: inFlow) }
      guard style == .plain, CoreSchema.content(ofPlain: value) == .null else {
        throw YAMLSpliceRefusal("line \(line) has a single value, and not a map; change it in the file")
      }
      return fillings(of: node, isWritten: !value.isEmpty, owner, path, inFlow: inFlow)
    case .mapping(let pairs, let style):
      guard let key = path.first else {
        throw YAMLSpliceRefusal("the value in line \(line) is a map; change one of its keys")
      }
      let isFlow = inFlow || style == .flow
      if let pair = pairs.first(where: { $0.key == key }) {
        let column = owner.map { $0.key.start.column } ?? 0
        return try splices(
          in: pair.value, of: (pair.keyRange, column), path.dropFirst(), siblings.dropFirst(), inFlow: isFlow)
      }
      let order = Self.order(of: pairs, beside: key, declared: siblings.first ?? [])
      return isFlow ? entries(in: node, order, path) : lines(in: pairs, order, path)
    }
  }

  // MARK: A value in place of another

  private func scalarSplices(
    _ node: YAMLNode, _ old: String, _ style: YAMLNode.ScalarStyle, inFlow: Bool
  ) throws(YAMLSpliceRefusal) -> [YAMLSplice] {
    if style == .literal || style == .folded {
      let header = bytes[node.range.start.offset..<node.range.end.offset].prefix { $0 != 0x0A && $0 != 0x0D }
      guard !header.contains(0x23) else {
        throw YAMLSpliceRefusal(
          "the text that begins in line \(node.range.start.line) has a comment at its head; change it in the file")
      }
    }
    guard node.range.start.offset < node.range.end.offset else {
      return value.forms(replacing: nil, inFlow: inFlow).flatMap { fill(node, with: $0) }
    }
    return replacements(of: node, style: style, inFlow: inFlow)
  }

  private func replacements(of node: YAMLNode, style: YAMLNode.ScalarStyle?, inFlow: Bool) -> [YAMLSplice] {
    value.forms(replacing: style, inFlow: inFlow).map {
      YAMLSplice(start: node.range.start.offset, end: node.range.end.offset, text: $0)
    }
  }

  /// Puts a text where a value was left out: behind the colon, or behind the anchor.
  private func fill(_ node: YAMLNode, with form: String) -> [YAMLSplice] {
    var offset = node.range.start.offset
    // Within braces an absent value counts as standing at the next sign.
    var start = offset
    while start > 0, bytes[start - 1] == 0x20 || bytes[start - 1] == 0x09 { start -= 1 }
    guard start > 0 else { return [] }
    if bytes[start - 1] == 0x3A { offset = start }
    return [YAMLSplice(start: offset, end: offset, text: " " + form)]
  }

  // MARK: A map where there was nothing

  private func fillings(
    of node: YAMLNode, isWritten: Bool, _ owner: (key: SourceRange, outer: Int)?, _ path: ArraySlice<String>,
    inFlow: Bool
  ) -> [YAMLSplice] {
    if isWritten {
      return maps(path).map { YAMLSplice(start: node.range.start.offset, end: node.range.end.offset, text: $0) }
    }
    var result: [YAMLSplice] = []
    if !inFlow, let owner, let indentation = indentation(of: owner.key) {
      // As much deeper as the key itself stands below the one around it.
      let step = max(1, owner.key.start.column - owner.outer)
      let inner = indentation + String(repeating: " ", count: step)
      result += entryTexts(path, inFlow: false).map { insertion(of: inner + $0, afterLineOf: node.range.end.offset) }
    }
    return result + maps(path).flatMap { fill(node, with: $0) }
  }

  /// `{ key: value }`
  private func maps(_ path: ArraySlice<String>) -> [String] {
    entryTexts(path, inFlow: true).map { "{ \($0) }" }
  }

  /// `key: value`, with maps in braces for what lies between.
  private func entryTexts(_ path: ArraySlice<String>, inFlow: Bool) -> [String] {
    guard let key = path.first else { return [] }
    let rest = path.dropFirst()
    let values = rest.isEmpty ? value.forms(replacing: nil, inFlow: inFlow) : maps(rest)
    return values.map { "\(ScalarText.key(key, inFlow: inFlow)): \($0)" }
  }

  // MARK: One more key

  /// The pairs behind which a new key may stand, the best first: behind the nearest that is declared before it.
  private static func order(of pairs: [YAMLPair], beside key: String, declared: [String]) -> [YAMLPair] {
    guard let place = declared.firstIndex(of: key) else { return pairs.reversed() }
    let rank: (YAMLPair) -> Int = { declared.firstIndex(of: $0.key) ?? .max }
    let before = pairs.filter { rank($0) < place }.sorted { rank($0) > rank($1) }
    return before + pairs.filter { rank($0) > place }
  }

  private func lines(in pairs: [YAMLPair], _ order: [YAMLPair], _ path: ArraySlice<String>) -> [YAMLSplice] {
    guard let indentation = pairs.lazy.compactMap({ self.indentation(of: $0.keyRange) }).first else { return [] }
    return order.flatMap { pair in
      entryTexts(path, inFlow: false).map { entry in
        insertion(
          of: indentation + entry, afterLineOf: max(pair.keyRange.end.offset, pair.value.range.end.offset),
          behindCommentsDeeperThan: indentation.utf8.count)
      }
    }
  }

  private func entries(in node: YAMLNode, _ order: [YAMLPair], _ path: ArraySlice<String>) -> [YAMLSplice] {
    let (start, end) = (node.range.start.offset + 1, node.range.end.offset - 1)
    let texts = entryTexts(path, inFlow: true)
    guard start <= end else { return [] }
    if order.isEmpty {
      let isBlank = bytes[start..<end].allSatisfy { $0 == 0x20 }
      return texts.map { YAMLSplice(start: start, end: isBlank ? end : start, text: isBlank ? " \($0) " : " \($0)") }
    }
    let behind = order.filter { $0.value.range.start.offset < $0.value.range.end.offset }.flatMap { pair in
      texts.map {
        YAMLSplice(start: pair.value.range.end.offset, end: pair.value.range.end.offset, text: ", \($0)")
      }
    }
    return behind + texts.map { YAMLSplice(start: start, end: start, text: " \($0),") }
  }

  // MARK: Lines

  /// The blanks before a key, where nothing but the dashes of lists stands before it in its line.
  private func indentation(of key: SourceRange) -> String? {
    let lineStart = text.lineStarts[key.start.line - 1]
    var start = lineStart
    if lineStart == 0, bytes.starts(with: SourceText.byteOrderMark) { start = 3 }
    guard start <= key.start.offset, bytes[start..<key.start.offset].allSatisfy({ $0 == 0x20 || $0 == 0x2D }) else {
      return nil
    }
    return String(repeating: " ", count: key.start.offset - start)
  }

  /// Puts in a line behind the one in which a byte stands, and behind the comments that belong to it.
  private func insertion(
    of line: String, afterLineOf offset: Int, behindCommentsDeeperThan depth: Int? = nil
  ) -> YAMLSplice {
    var number = text.position(atOffset: offset).line
    if let depth {
      while isComment(number + 1, deeperThan: depth) { number += 1 }
    }
    if number < text.lineStarts.count {
      let start = text.lineStarts[number]
      return YAMLSplice(start: start, end: start, text: line + lineEnd(number))
    }
    let newLine = number > 1 ? lineEnd(number - 1) : "\n"
    return YAMLSplice(start: bytes.count, end: bytes.count, text: newLine + line)
  }

  private func isComment(_ number: Int, deeperThan depth: Int) -> Bool {
    guard let line = text.line(number) else { return false }
    let blanks = line.utf8.prefix { $0 == 0x20 }.count
    return blanks > depth && line.utf8.dropFirst(blanks).first == 0x23
  }

  /// What ends a line.
  private func lineEnd(_ number: Int) -> String {
    let end = text.lineStarts[number]
    guard end >= 2, bytes[end - 1] == 0x0A, bytes[end - 2] == 0x0D else {
      return bytes[end - 1] == 0x0D ? "\r" : "\n"
    }
    return "\r\n"
  }

  private static func aliases(in node: YAMLNode) -> [String: Int] {
    switch node.content {
    case .alias(let name, _): [name: node.range.start.line]
    case .sequence(let items, _):
      items.reduce(into: [:]) { $0.merge(aliases(in: $1)) { first, _ in first } }
    case .mapping(let pairs, _):
      pairs.reduce(into: [:]) { $0.merge(aliases(in: $1.value)) { first, _ in first } }
    case .scalar: [:]
    }
  }
}
