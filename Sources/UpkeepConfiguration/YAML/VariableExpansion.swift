import UpkeepCore

/// Puts environment variables into texts: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`; `$${` stands for `${`.
///
/// As in a shell, an empty variable counts as absent for `:-` and `:?`, but not for `${NAME}` alone.
struct VariableExpansion {
  /// What is wrong, and at which UTF-8 offset in the text.
  struct Problem: Hashable {
    var code: String
    var message: String
    var offset: Int
    var suggestion: String?
  }

  let environment: [String: String]

  /// The text with its variables replaced, and the problems; nothing where the text has none.
  func expand(_ text: String) -> (text: String, problems: [Problem])? {
    let bytes = Array(text.utf8)
    guard bytes.contains(0x24) else { return nil }
    var result: [UInt8] = []
    var problems: [Problem] = []
    var found = false
    var index = 0
    while index < bytes.count {
      let rest = bytes[index...]
      if rest.starts(with: Array("$${".utf8)) {
        found = true
        result += Array("${".utf8)
        index += 3
      } else if rest.starts(with: Array("${".utf8)) {
        found = true
        guard let end = rest.firstIndex(of: 0x7D) else {
          problems.append(
            Problem(
              code: "bad_variable", message: "${ has no closing brace; write ${NAME}, or $${ for the characters ${",
              offset: index))
          break
        }
        let inner = String(decoding: bytes[(index + 2)..<end], as: UTF8.self)
        switch value(of: inner) {
        case .success(let value): result += Array(value.utf8)
        case .failure(let problem):
          problems.append(
            Problem(
              code: problem.code, message: problem.message, offset: index, suggestion: problem.suggestion))
        }
        index = end + 1
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return found ? (String(decoding: result, as: UTF8.self), problems) : nil
  }

  /// The names of the variables in a text, each once.
  static func names(in text: String) -> [String] {
    var names: [String] = []
    for match in text.replacing("$${", with: "").matches(of: /\$\{([A-Za-z_][A-Za-z0-9_]*)/) {
      let name = String(match.1)
      if !names.contains(name) { names.append(name) }
    }
    return names
  }

  private func value(of inner: String) -> Result<String, SettingProblem> {
    let name = inner.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    let rest = inner.dropFirst(name.count)
    guard let first = name.first, !first.isNumber else {
      return .failure(
        SettingProblem(
          code: "bad_variable", "${\(inner)} isn't a variable; write ${NAME}, or $${ for the characters ${"))
    }
    let value = environment[String(name)]
    if rest.isEmpty {
      if let value { return .success(value) }
      let suggestion = NameSuggestion.nearest(to: String(name), among: environment.keys.sorted())
      let hint = suggestion.map { "did you mean \($0)?" } ?? "set it, or write ${\(name):-default}"
      return .failure(
        SettingProblem(
          code: "undefined_variable", "the environment variable \(name) isn't set; \(hint)", suggestion: suggestion))
    }
    let isAbsent = value?.isEmpty ?? true
    if rest.hasPrefix(":-") { return .success(isAbsent ? String(rest.dropFirst(2)) : value ?? "") }
    if rest.hasPrefix(":?") {
      guard isAbsent else { return .success(value ?? "") }
      let message = rest.dropFirst(2)
      return .failure(
        SettingProblem(
          code: "undefined_variable",
          "the environment variable \(name) isn't set\(message.isEmpty ? "" : ": \(message)")"))
    }
    return .failure(
      SettingProblem(
        code: "bad_variable", "${\(inner)} isn't a variable; write ${NAME}, ${NAME:-default} or ${NAME:?message}"))
  }
}
