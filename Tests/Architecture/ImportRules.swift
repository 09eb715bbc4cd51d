import Foundation

/// Which modules a folder may import: the table "Rooms" of the README.
struct ImportRules {
  /// Modules that come with the toolchain.
  static let toolchain: Set<String> = [
    "Swift", "Foundation", "FoundationEssentials", "Synchronization", "Glibc", "Musl", "Darwin", "Dispatch", "Testing",
  ]

  /// Allowed modules by folder; `Plugins/*` stands for every plugin.
  let allowed: [String: Set<String>]

  /// Reads the table under the heading `### Rooms`.
  init(readme: String) {
    var allowed: [String: Set<String>] = [:]
    let section = readme.components(separatedBy: "### Rooms\n").dropFirst().first ?? ""
    for line in section.split(separator: "\n") {
      if line.hasPrefix("#") { break }
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 3, cells[0].hasPrefix("`") else { continue }
      let modules = cells[2].split(separator: ",").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) }
      allowed[cells[0].trimmingCharacters(in: CharacterSet(charactersIn: "`"))] = Set(modules)
    }
    self.allowed = allowed
  }

  /// The imports of a file that its folder's row doesn't allow.
  func violations(in source: String, at path: String) -> [Violation] {
    let folder = path.split(separator: "/").prefix(2).joined(separator: "/")
    let rule = allowed[folder] ?? (path.hasPrefix("Plugins/") ? allowed["Plugins/*"] : nil)
    return Self.imports(of: source).compactMap { line, module in
      guard let rule else {
        return Violation(path: path, line: line, message: "\(folder) has no row in the table Rooms")
      }
      guard !rule.contains(module), !Self.toolchain.contains(module) else { return nil }
      return Violation(path: path, line: line, message: "\(folder) may not import \(module)")
    }
  }

  /// The imported modules with their lines, whatever stands before `import` or behind the module's name.
  static func imports(of source: String) -> [(line: Int, module: String)] {
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var", "actor"]
    return SwiftCode(source).lines.enumerated().compactMap { index, line in
      var words = line.split { $0 == " " || $0 == ";" }[...]
      guard let keyword = words.firstIndex(of: "import"),
        words[..<keyword].allSatisfy({ $0.hasPrefix("@") || modifiers.contains($0) })
      else { return nil }
      words = words[(keyword + 1)...]
      if let kind = words.first, kinds.contains(kind) { words = words.dropFirst() }
      guard let module = words.first?.split(separator: ".").first else { return nil }
      return (index + 1, String(module))
    }
  }

  private static let modifiers: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
}
