import UpkeepCore

/// Reads one YAML document into a tree whose nodes know their places, and reports every problem it can go on after.
struct YAMLParser {
  /// What is refused before it can do harm.
  enum Limit {
    static let bytes = 1 << 20
    static let depth = 32
    static let aliases = 100
    /// Values that all aliases together stand for, once they are written out.
    static let aliasedValues = 10_000
  }

  private let path: String
  private let bytes: [UInt8]
  private let text: SourceText
  private var frames: [YAMLFrame] = []
  private var root: YAMLNode?
  private var anchors: [String: (node: YAMLNode, size: Int)] = [:]
  private var aliases = 0
  private var aliasedValues = 0
  private var problems: [Diagnostic] = []

  /// Reads a document.
  ///
  /// - Returns: The tree, nothing where there is none that makes sense, and the problems.
  static func parse(_ text: SourceText, path: String) -> (root: YAMLNode?, problems: [Diagnostic]) {
    var parser = YAMLParser(text, path: path)
    let isWhole = parser.read()
    return (isWhole ? parser.root : nil, parser.problems)
  }

  private init(_ text: SourceText, path: String) {
    self.path = path
    self.text = text
    bytes = text.bytes
  }

  /// - Returns: False where reading had to stop.
  private mutating func read() -> Bool {
    if bytes.count > Limit.bytes {
      return stop("too_large", "the file has \(bytes.count) bytes; at most \(Limit.bytes) (1 MiB) are read", 0, 0)
    }
    if let invalid = SourceText.firstInvalidByte(bytes) {
      return stop("not_utf8", "the file isn't UTF-8 from here on; save it as UTF-8", invalid, invalid)
    }
    guard let events = YAMLEvents(bytes) else { return stop("yaml_syntax", "there is no memory to read it", 0, 0) }
    var documents = 0
    do throws(YAMLSyntaxError) {
      while let event = try events.next() {
        if case .documentStart = event.kind {
          documents += 1
          if documents > 1 {
            report(
              "multiple_documents", "a second document begins here; write one document",
              text.range(event.start, event.end))
            return true
          }
        } else if !take(event) {
          return false
        }
      }
    } catch {
      let (code, message, offset) = error.explained(bytes)
      return stop(code, message, offset, offset)
    }
    if root == nil || root.map(Self.isNothing) == true {
      return stop("empty_file", "the file is empty; `upkeep init` writes a commented one", 0, 0)
    }
    return true
  }

  private static func isNothing(_ node: YAMLNode) -> Bool {
    if case .scalar("", .plain) = node.content { true } else { false }
  }

  private mutating func take(_ event: YAMLEvent) -> Bool {
    switch event.kind {
    case .documentStart, .documentEnd: return true
    case .scalar(let value, let style):
      if frames.last?.expectsKey == true { return takeKey(value, style, event) }
      checkTag(event)
      let start = contentStart(event)
      let node = YAMLNode(
        content: .scalar(value, style), range: text.range(start, contentEnd(event, style, start)),
        anchor: event.anchor, tag: event.tag)
      return finish(node, size: 1)
    case .alias(let name): return takeAlias(name, event)
    case .sequenceStart(let style): return open(.sequence, style, event)
    case .mappingStart(let style): return open(.mapping, style, event)
    case .collectionEnd: return close(event)
    }
  }

  private mutating func takeKey(_ key: String, _ style: YAMLNode.ScalarStyle, _ event: YAMLEvent) -> Bool {
    let start = contentStart(event)
    let range = text.range(start, event.end)
    if let anchor = event.anchor {
      let node = YAMLNode(content: .scalar(key, style), range: range, anchor: anchor)
      anchors[anchor] = (node, 1)
    }
    if key == "<<", style == .plain {
      report("merge_key", "merge keys (<<) aren't supported; write the keys out", range)
    } else if let first = frames.last?.keys[key] {
      report("duplicate_key", "\(key) is given twice, first in line \(first.start.line); remove one of them", range)
    } else {
      frames[frames.count - 1].begin(key, range)
      return true
    }
    frames[frames.count - 1].key = .dropped
    return true
  }

  private mutating func takeAlias(_ name: String, _ event: YAMLEvent) -> Bool {
    let range = text.range(event.start, event.end)
    aliases += 1
    guard aliases <= Limit.aliases else {
      return stop(
        "too_many_aliases", "the file has more than \(Limit.aliases) aliases; write the values out", event.start,
        event.end)
    }
    if frames.contains(where: { $0.anchor == name }) {
      report("undefined_alias", "*\(name) stands for a value that it is part of; write the value out", range)
    } else if let (target, size) = anchors[name] {
      aliasedValues += size
      guard aliasedValues <= Limit.aliasedValues else {
        return stop(
          "too_many_aliases", "the aliases stand for more than \(Limit.aliasedValues) values; write fewer",
          event.start, event.end)
      }
      return finish(YAMLNode(content: .alias(name, target), range: range), size: size)
    } else {
      let suggestion = NameSuggestion.nearest(to: name, among: anchors.keys.sorted())
      let hint = suggestion.map { "did you mean *\($0)?" } ?? "expected an anchor &\(name) before it"
      report("undefined_alias", "unknown alias *\(name); \(hint)", range)
    }
    return finish(YAMLNode(content: .scalar("", .plain), range: range), size: 1)
  }

  private mutating func open(
    _ kind: YAMLFrame.Kind, _ style: YAMLNode.CollectionStyle, _ event: YAMLEvent
  ) -> Bool {
    guard frames.count < Limit.depth else {
      return stop(
        "too_deep", "lists and maps are nested more than \(Limit.depth) deep here", event.start, event.start)
    }
    checkTag(event)
    frames.append(
      YAMLFrame(kind: kind, style: style, start: contentStart(event), anchor: event.anchor, tag: event.tag))
    return true
  }

  private mutating func close(_ event: YAMLEvent) -> Bool {
    guard let frame = frames.popLast() else { return true }
    // The end of a block collection is reported where the next thing begins: behind blanks and comments.
    let end = frame.style == .flow ? event.end : frame.lastEnd ?? frame.start
    let range = text.range(frame.start, end)
    let content: YAMLNode.Content =
      frame.kind == .sequence ? .sequence(frame.items, frame.style) : .mapping(frame.pairs, frame.style)
    return finish(
      YAMLNode(content: content, range: range, anchor: frame.anchor, tag: frame.tag), size: frame.size)
  }

  private mutating func finish(_ node: YAMLNode, size: Int) -> Bool {
    if let anchor = node.anchor { anchors[anchor] = (node, size) }
    guard !frames.isEmpty else {
      root = node
      return true
    }
    if frames[frames.count - 1].expectsKey {
      report("bad_key", "a key must be a plain text", node.range)
      frames[frames.count - 1].key = .dropped
    } else {
      frames[frames.count - 1].add(node, size: size)
    }
    return true
  }

  private static let tags: Set<String> = Set(
    ["str", "int", "float", "bool", "null", "map", "seq"].map { "tag:yaml.org,2002:\($0)" } + ["!"])

  private mutating func checkTag(_ event: YAMLEvent) {
    guard let tag = event.tag, !Self.tags.contains(tag) else { return }
    report(
      "unknown_tag", "unknown tag \(tag.replacing("tag:yaml.org,2002:", with: "!!")); write the value without a tag",
      text.range(event.start, event.start))
  }

  /// Where the node itself begins, behind its anchor and its tag.
  private func contentStart(_ event: YAMLEvent) -> Int {
    guard event.anchor != nil || event.tag != nil else { return event.start }
    var index = event.start
    while index < event.end || index < bytes.count {
      switch bytes[index] {
      case 0x26, 0x21:  // & and !
        while index < bytes.count, !Self.isBlank(bytes[index]) { index += 1 }
      case 0x23:  // a comment
        while index < bytes.count, bytes[index] != 0x0A { index += 1 }
      case let byte where Self.isBlank(byte): index += 1
      default: return Self.isEmptyScalar(event) ? event.end : index
      }
    }
    return event.end
  }

  private static func isEmptyScalar(_ event: YAMLEvent) -> Bool {
    if case .scalar("", .plain) = event.kind { true } else { false }
  }

  /// Where the node itself ends: a block scalar's line breaks at the end aren't part of it.
  private func contentEnd(_ event: YAMLEvent, _ style: YAMLNode.ScalarStyle, _ start: Int) -> Int {
    var end = max(start, event.end)
    guard style == .literal || style == .folded else { return end }
    while end > start, Self.isBlank(bytes[end - 1]) { end -= 1 }
    return end
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }

  private mutating func report(_ code: String, _ message: String, _ range: SourceRange) {
    problems.append(Diagnostic(code: code, message, at: .file(path: path, range: range)))
  }

  private mutating func stop(_ code: String, _ message: String, _ start: Int, _ end: Int) -> Bool {
    report(code, message, text.range(start, end))
    return false
  }
}
