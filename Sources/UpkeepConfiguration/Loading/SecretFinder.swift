import UpkeepCore

/// Knows which values of a configuration are secrets, and keeps them out of what people see.
struct SecretFinder: Sendable {
  private var nodes: [ConfigurationNode] = []

  /// Adds the secrets among settings.
  mutating func collect(_ node: ConfigurationNode?, _ descriptions: [SettingDescription]) {
    for description in descriptions {
      guard let value = node?[description.key], !value.isNull else { continue }
      if description.isSecret {
        nodes.append(value)
      } else {
        collect(value, description.kind)
      }
    }
  }

  private mutating func collect(_ node: ConfigurationNode, _ kind: SettingKind) {
    switch (kind, node.content) {
    case (.group(let descriptions), _): collect(node, descriptions)
    case (.list(let element), .list(let items)): for item in items { collect(item, element) }
    case (.map(let element), .map(let entries)): for entry in entries { collect(entry.value, element) }
    default: break
    }
  }

  /// Where they stand in a file.
  func ranges(in path: String) -> [SourceRange] {
    nodes.compactMap { node in
      if case .file(path, let range) = node.origin { range } else { nil }
    }
  }

  /// The problems with secrets masked in their messages.
  func masked(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
    diagnostics.map { diagnostic in
      var diagnostic = diagnostic
      for node in nodes {
        for text in Self.texts(of: node) where text.count >= 6 || diagnostic.origin == node.origin {
          diagnostic.message = diagnostic.message.replacing(text, with: Secret.mask)
        }
        if diagnostic.origin == node.origin { diagnostic.suggestion = nil }
      }
      diagnostic.message = Secret.masked(diagnostic.message)
      return diagnostic
    }
  }

  /// The forms in which a value may stand in a message.
  private static func texts(of node: ConfigurationNode) -> [String] {
    switch node.content {
    case .list(let items): items.flatMap(texts)
    case .map(let entries): entries.flatMap { texts(of: $0.value) }
    case .null: []
    default: [node.found, node.text].filter { !$0.isEmpty }
    }
  }

  /// The names of all secret settings, and words that everybody uses for secrets.
  static func keys(of plugins: [PluginDescriptor]) -> [String] {
    var found: Set<String> = ["password", "token", "secret"]
    func visit(_ descriptions: [SettingDescription]) {
      for description in descriptions {
        if description.isSecret { found.insert(description.key) }
        visit(kind: description.kind)
      }
    }
    func visit(kind: SettingKind) {
      switch kind {
      case .group(let descriptions): visit(descriptions)
      case .list(let element), .map(let element): visit(kind: element)
      default: break
      }
    }
    visit(TaskKeys.descriptions)
    for plugin in plugins { visit(plugin.settings) }
    return found.sorted()
  }
}
