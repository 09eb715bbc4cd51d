import UpkeepCore

/// A key of a task as people write it, found among those that are declared.
struct TaskKeyPath: Hashable {
  /// The keys below the task, from the outside in; those of a map as the file spells them, and the number of a list's
  /// part, counted from 0.
  var path: [String] = []
  /// What kind of value it takes.
  var kind: SettingKind
  /// The keys that are declared beside each part of the path, in their order; none within a map or a list.
  var siblings: [[String]] = []
  /// Whether its value must never be shown.
  var isSecret = false

  /// `settings.odds_keep`
  var text: String { path.joined(separator: ".") }

  /// Whether the API and the dashboard may change it.
  var isTunable: Bool {
    if isSecret || !kind.isTunable { return false }
    return path.first == "settings" || ["enabled", "interval", "timeout"].contains(text)
  }

  /// The parts of a key: a bare name is a setting where no key of the task has it.
  static func parts(of key: String) -> [String] {
    // `rules[0].keep` means a part of a list, as `rules.0.keep` does.
    var parts = key.replacing("[", with: ".").replacing("]", with: "")
      .split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if let first = parts.first, !TaskKeys.descriptions.contains(where: { $0.key == first }) {
      parts.insert("settings", at: 0)
    }
    return parts
  }

  /// Finds a key.
  ///
  /// - Parameters:
  ///   - parts: Its parts.
  ///   - node: The task as it is configured: its spelling of a map's keys counts where a variable names one.
  ///   - plugin: The task's plugin.
  ///   - origin: Where the key comes from, for the error.
  /// - Returns: Nothing for a setting of an unknown plugin, which is reported elsewhere.
  /// - Throws: `unknown_key`, `unknown_setting`, or `unknown_part` of a list.
  static func find(
    _ parts: [String], of node: ConfigurationNode, plugin: PluginDescriptor?, at origin: ValueOrigin
  ) throws(Diagnostic) -> TaskKeyPath? {
    var found = TaskKeyPath(
      kind: .group(
        TaskKeys.descriptions.map { description in
          var description = description
          if description.key == "settings" { description.kind = .group(plugin?.settings ?? []) }
          return description
        }))
    var place: ConfigurationNode? = node
    for part in parts {
      switch found.kind {
      case .group(let descriptions):
        let noun = found.path.first == "settings" ? "setting" : "key"
        guard let description = descriptions.first(where: { $0.key == part }) else {
          if found.path.first == "settings" && plugin == nil { return nil }
          if let list = descriptions.first(where: { $0.kind.partsHave(part) }) {
            throw Diagnostic(
              code: "unknown_\(noun)",
              "unknown \(noun) \(part): each part of \(list.key) has one; write \(list.key).0.\(part) for the first",
              at: origin)
          }
          // A bare name may be meant for a key of the task.
          let own = found.path == ["settings"] ? TaskKeys.descriptions.map(\.key) : []
          var problem = Diagnostic.unknown(
            noun, part, code: "unknown_\(noun)", known: descriptions.map(\.key), orNear: own, at: origin)
          let parent = found.path.drop { $0 == "settings" }
          if !parent.isEmpty { problem.message = "\(parent.joined(separator: ".")): \(problem.message)" }
          throw problem
        }
        found.path.append(part)
        found.siblings.append(descriptions.map(\.key))
        found.kind = description.kind
        found.isSecret = found.isSecret || description.isSecret
      case .map(let element):
        // Names of variables are written in capitals: there the file's spelling counts.
        var spelled: String?
        if case .environment = origin {
          spelled = place?.entries.first { $0.key.lowercased() == part.lowercased() }?.key
        }
        found.path.append(spelled ?? part)
        found.siblings.append([])
        found.kind = element
      case .list(let element), .oneOrMore(let element):
        guard let number = Int(part), place?.items.indices.contains(number) == true else {
          throw unknownPart(of: found, at: place, origin)
        }
        found.path.append("\(number)")
        found.siblings.append([])
        found.kind = element
      default:
        throw Diagnostic(code: "unknown_key", "\(found.text) has no parts; write \(found.text)", at: origin)
      }
      place = found.path.last.flatMap { place?.part($0) }
    }
    return found
  }

  /// A list's parts are only those that the file gives it: one more is written there.
  private static func unknownPart(
    of list: TaskKeyPath, at place: ConfigurationNode?, _ origin: ValueOrigin
  ) -> Diagnostic {
    let line = place?.origin.line.map { ", line \($0)" } ?? ""
    let last = (place?.items.count ?? 0) - 1
    let known =
      last < 0 ? "it has none yet" : "write \(list.text).0" + (last > 0 ? " to \(list.text).\(last)" : "")
    return Diagnostic(
      code: "unknown_part", "\(list.text) is a list: \(known), or change it in the file\(line)", at: origin)
  }
}

extension SettingKind {
  /// Whether it is a list of maps that have such a key.
  fileprivate func partsHave(_ key: String) -> Bool {
    guard case .list(of: .group(let descriptions)) = self else { return false }
    return descriptions.contains { $0.key == key }
  }
}
