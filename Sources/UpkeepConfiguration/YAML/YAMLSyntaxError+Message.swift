extension YAMLSyntaxError {
  /// What is wrong for people: the code, one sentence that says what to write, and the byte to show.
  func explained(_ bytes: [UInt8]) -> (code: String, message: String, offset: Int) {
    let next = offset < bytes.count ? bytes[offset] : 0
    switch problem {
    case _ where problem.contains("tab character"), "found character that cannot start any token" where next == 0x09:
      return ("yaml_tab", "a tab can't be used for indentation; write blanks", tab(bytes))
    case "found character that cannot start any token":
      let character = String(decoding: [next], as: UTF8.self)
      return ("yaml_syntax", "a text can't begin with \(character); put it in quotes", offset)
    case "control characters are not allowed":
      return ("yaml_control_character", "a control character can't stand in YAML; remove it", offset)
    case "mapping values are not allowed in this context":
      return (
        "yaml_syntax", "a key can't stand here; check the indentation, or put a text with a colon in quotes", offset
      )
    case "could not find expected ':'":
      return ("yaml_syntax", "expected \"key: value\", found no colon behind the key", contextOffset)
    case "did not find expected key":
      return ("yaml_syntax", "expected a key here; check that it is indented as the keys before it are", offset)
    case "did not find expected '-' indicator":
      return ("yaml_syntax", "expected \"- \" here; check that it is indented as the elements before it are", offset)
    case "did not find expected ',' or '}'":
      return ("yaml_syntax", "expected , or } in the map that begins here with {", contextOffset)
    case "did not find expected ',' or ']'":
      return ("yaml_syntax", "expected , or ] in the list that begins here with [", contextOffset)
    case "found unexpected end of stream":
      return ("yaml_syntax", "the quotes that begin here don't end", contextOffset)
    case "found unexpected document indicator":
      return ("yaml_syntax", "the quotes that begin here don't end before the next document", contextOffset)
    case "found unknown escape character":
      return ("yaml_syntax", "unknown escape; write \\\\ for a backslash, or use single quotes", offset)
    case "did not find expected hexdecimal number":
      return ("yaml_syntax", "expected hexadecimal digits in an escape", offset)
    case "block sequence entries are not allowed in this context":
      return ("yaml_syntax", "a list can't begin here; put \"- \" on a line of its own", offset)
    case "mapping keys are not allowed in this context":
      return ("yaml_syntax", "a key that begins with ? can't stand here", offset)
    case "did not find expected node content":
      return ("yaml_syntax", "expected a value here", offset)
    case "did not find expected <document start>":
      return ("yaml_syntax", "expected the end of the file here; check the indentation", offset)
    case "did not find expected alphabetic or numeric character":
      let what = context.contains("alias") ? "*" : "&"
      return ("yaml_syntax", "expected a name behind \(what); put a text that begins with \(what) in quotes", offset)
    case "found undefined tag handle":
      return ("unknown_tag", "unknown tag; write the value without a tag", offset)
    case "found incompatible YAML document":
      return ("yaml_syntax", "expected YAML 1.2; leave the %YAML line out", offset)
    case _ where problem.contains("anchors") || problem.contains("nesting"):
      return ("yaml_syntax", problem, offset)
    default:
      let place = context.isEmpty ? "" : " \(context)"
      return ("yaml_syntax", "this isn't YAML: \(problem)\(place)", offset)
    }
  }

  /// The first tab from the problem on in its line, or before it.
  private func tab(_ bytes: [UInt8]) -> Int {
    let end = bytes[min(offset, bytes.count)...].firstIndex { $0 == 0x0A } ?? bytes.count
    if let found = bytes[min(offset, end)..<end].firstIndex(of: 0x09), found == offset { return found }
    let start = bytes[..<min(offset, bytes.count)].lastIndex { $0 == 0x0A }.map { $0 + 1 } ?? 0
    return bytes[start..<end].firstIndex(of: 0x09) ?? offset
  }
}
