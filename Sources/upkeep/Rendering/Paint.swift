/// Colours for a terminal; without colour every text stays as it is.
struct Paint: Sendable {
  var isOn: Bool

  func bold(_ text: String) -> String { wrapped(text, "1") }
  func dim(_ text: String) -> String { wrapped(text, "2") }
  func red(_ text: String) -> String { wrapped(text, "31") }
  func green(_ text: String) -> String { wrapped(text, "32") }
  func yellow(_ text: String) -> String { wrapped(text, "33") }

  /// How many columns of a terminal a text takes: colours take none.
  static func width(of text: some StringProtocol) -> Int {
    var (columns, isCode) = (0, false)
    for character in text {
      if isCode {
        isCode = character != "m"
      } else if character == "\u{1B}" {
        isCode = true
      } else {
        columns += 1
      }
    }
    return columns
  }

  private func wrapped(_ text: String, _ code: String) -> String {
    isOn && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
