import Testing
import UpkeepConfiguration
import UpkeepCore

/// A generator whose numbers are the same in each run (SplitMix64).
private struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

@Suite struct DamageTests {
  /// Bytes that mean something in YAML, and some that don't.
  private static let pieces: [[UInt8]] =
    [
      "\n", "\t", ":", ": ", "- ", "[", "]", "{", "}", "\"", "'", "&a ", "*a", "!!int ", "|", ">", "#", "---\n", "${",
      "}", "<<",
      "? ", "é", "🙂", "\r\n", "\u{85}", "\u{2028}", "\u{FEFF}", "%", "@", ",", "null", "0", "\u{7}", "  ",
    ].map { Array($0.utf8) } + [[0xFF], [0x00], [0xC3], [0xED, 0xA0, 0x80]]

  @Test(arguments: 0..<40)
  func damagedFilesAreExplainedAndNeverCrash(_ seed: Int) {
    var generator = SeededGenerator(state: UInt64(seed))
    let loader = ConfigurationLoader(plugins: plugins, environment: ["A": "b"])
    for _ in 0..<25 {
      var bytes = Array(sample.utf8)
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        let end = min(bytes.count, place + Int.random(in: 0...3, using: &generator))
        bytes.replaceSubrange(place..<end, with: Self.pieces.randomElement(using: &generator) ?? [])
      }
      let loaded = loader.load(bytes, path: "u.yaml", folder: "/")
      let text = DiagnosticRenderer(loaded.source).render(loaded.diagnostics)
      #expect(loaded.configuration != nil || loaded.hasErrors)
      #expect(text.isEmpty == loaded.diagnostics.isEmpty)
      let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).count + bytes.count { $0 == 0x0D }
      for case .file(_, let range) in loaded.diagnostics.compactMap(\.origin) {
        #expect(range.start.line >= 1 && range.start.column >= 1 && range.start.line <= lines)
        #expect(range.start.offset <= range.end.offset && range.end.offset <= bytes.count)
      }
    }
  }

  @Test func everyBeginningOfAFileIsExplained() {
    let bytes = Array(sample.utf8)
    for count in stride(from: 0, to: bytes.count, by: 7) {
      let loaded = ConfigurationLoader(plugins: plugins, environment: [:])
        .load(Array(bytes[..<count]), path: "u.yaml", folder: "/")
      #expect(loaded.configuration != nil || loaded.hasErrors)
    }
  }
}
