/// The registered plugins.
public struct PluginRegistry: Sendable {
  /// All plugins, in the order of registration.
  public let plugins: [PluginDescriptor]

  /// Registers plugins.
  /// - Throws: ``TaskError`` where two plugins have one id, or an id isn't in `snake_case`.
  public init(_ plugins: [PluginDescriptor]) throws(TaskError) {
    var seen: Set<String> = []
    for plugin in plugins {
      guard TaskName.isValid(plugin.id) else {
        throw TaskError(
          code: "bad_plugin_id", place: "plugin \(plugin.id)",
          problem: "expected an id of lower-case letters, digits and underscores that begins with a letter",
          fix: "rename the plugin")
      }
      guard seen.insert(plugin.id).inserted else {
        throw TaskError(
          code: "duplicate_plugin", place: "plugin \(plugin.id)", problem: "two plugins have this id",
          fix: "give one of them another id")
      }
    }
    self.plugins = plugins
  }

  /// The plugin with an id.
  public subscript(id: String) -> PluginDescriptor? {
    plugins.first { $0.id == id }
  }
}

/// The rule for names of tasks, groups, databases and plugins.
public enum TaskName {
  /// Whether `name` is one to 63 lower-case letters, digits and underscores that begin with a letter.
  public static func isValid(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    guard let first = bytes.first, bytes.count <= 63, first >= 97, first <= 122 else { return false }
    return bytes.allSatisfy { ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == 95 }
  }
}
