import CLibYAML

/// What the YAML library tells of a document, part by part. Offsets are bytes.
struct YAMLEvent {
  enum Kind {
    case documentStart, documentEnd
    case alias(String)
    case scalar(String, YAMLNode.ScalarStyle)
    case sequenceStart(YAMLNode.CollectionStyle)
    case mappingStart(YAMLNode.CollectionStyle)
    case collectionEnd
  }

  var kind: Kind
  var start: Int
  var end: Int
  var anchor: String?
  var tag: String?
}

/// What the YAML library couldn't read, in its own words. Offsets are bytes.
struct YAMLSyntaxError: Error {
  var problem: String
  var offset: Int
  var context: String
  var contextOffset: Int
}

/// Reads events from bytes that are known to be UTF-8.
struct YAMLEvents: ~Copyable {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let input: UnsafeMutablePointer<UInt8>
  /// The byte offset of each character, and the end; libyaml's marks count characters.
  private let offsets: [Int32]

  /// Begins to read.
  /// - Returns: Nothing where there is no memory.
  init?(_ bytes: [UInt8]) {
    let skipped = bytes.starts(with: SourceText.byteOrderMark) ? 3 : 0
    var offsets: [Int32] = []
    offsets.reserveCapacity(bytes.count + 1)
    for (offset, byte) in bytes.enumerated() where offset >= skipped && !SourceText.isContinuation(byte) {
      offsets.append(Int32(offset))
    }
    offsets.append(Int32(bytes.count))
    self.offsets = offsets
    input = .allocate(capacity: bytes.count + 1)
    input.update(from: bytes, count: bytes.count)
    parser = .allocate(capacity: 1)
    guard yaml_parser_initialize(parser) == 1 else {
      parser.deallocate()
      input.deallocate()
      return nil
    }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, input + skipped, bytes.count - skipped)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
    input.deallocate()
  }

  /// The next event; nothing at the end.
  func next() throws(YAMLSyntaxError) -> YAMLEvent? {
    while true {
      var event = yaml_event_t()
      guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxError() }
      defer { yaml_event_delete(&event) }
      if event.type == YAML_STREAM_END_EVENT || event.type == YAML_NO_EVENT { return nil }
      if event.type == YAML_STREAM_START_EVENT { continue }
      return read(event)
    }
  }

  private func read(_ event: yaml_event_t) -> YAMLEvent? {
    var result = YAMLEvent(
      kind: .collectionEnd, start: offset(event.start_mark.index), end: offset(event.end_mark.index))
    switch event.type {
    case YAML_DOCUMENT_START_EVENT: result.kind = .documentStart
    case YAML_DOCUMENT_END_EVENT: result.kind = .documentEnd
    case YAML_ALIAS_EVENT: result.kind = .alias(text(event.data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let value = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      result.kind = .scalar(String(decoding: value, as: UTF8.self), Self.style(scalar.style))
      result.anchor = text(scalar.anchor)
      result.tag = text(scalar.tag)
    case YAML_SEQUENCE_START_EVENT:
      let sequence = event.data.sequence_start
      result.kind = .sequenceStart(sequence.style == YAML_FLOW_SEQUENCE_STYLE ? .flow : .block)
      result.anchor = text(sequence.anchor)
      result.tag = text(sequence.tag)
    case YAML_MAPPING_START_EVENT:
      let mapping = event.data.mapping_start
      result.kind = .mappingStart(mapping.style == YAML_FLOW_MAPPING_STYLE ? .flow : .block)
      result.anchor = text(mapping.anchor)
      result.tag = text(mapping.tag)
    default: break
    }
    return result
  }

  private static func style(_ style: yaml_scalar_style_t) -> YAMLNode.ScalarStyle {
    switch style {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
    case YAML_LITERAL_SCALAR_STYLE: .literal
    case YAML_FOLDED_SCALAR_STYLE: .folded
    default: .plain
    }
  }

  private func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    pointer.map { String(cString: $0) }
  }

  private func offset(_ index: Int) -> Int {
    Int(offsets[min(index, offsets.count - 1)])
  }

  private func syntaxError() -> YAMLSyntaxError {
    let failed = parser.pointee
    // The reader, below the scanner, knows bytes only.
    let place =
      failed.error == YAML_READER_ERROR ? failed.problem_offset + Int(offsets[0]) : offset(failed.problem_mark.index)
    return YAMLSyntaxError(
      problem: failed.problem.map { String(cString: $0) } ?? "no memory", offset: place,
      context: failed.context.map { String(cString: $0) } ?? "", contextOffset: offset(failed.context_mark.index))
  }
}
