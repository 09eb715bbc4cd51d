import UpkeepCore
import UpkeepHost

/// Plugins and keys for people, and as tables of a README.
enum PluginText {
  /// What a plugin can do, in a fixed order.
  static func powers(_ plugin: PluginDescriptor) -> [String] {
    ["run"] + PluginPower.allCases.filter(plugin.powers.contains).map { $0 == .inspect ? "stats" : $0.rawValue }
  }

  /// One line a plugin.
  static func list(_ plugins: [PluginDescriptor], width: Int) -> [String] {
    TextTable(
      columns: [.text("PLUGIN"), .text("CAN"), .text("WHAT IT DOES", shrinks: true)],
      rows: plugins.map { [$0.id, powers($0).joined(separator: ", "), $0.documentation.summary] }
    ).folded(width: width)
  }

  /// Everything that is said of a plugin.
  static func lines(_ plugin: PluginDescriptor, width: Int) -> [String] {
    var lines = ["\(plugin.id): \(plugin.documentation.summary)", "can: \(powers(plugin).joined(separator: ", "))", ""]
    lines += plugin.settings.isEmpty ? ["no settings"] : keys(SettingRow.rows(plugin.settings), width: width)
    if !plugin.documentation.counts.isEmpty {
      lines += [""]
      lines += TextTable(
        columns: [.text("COUNT"), .text("MEANS", shrinks: true)],
        rows: plugin.documentation.counts.map { [$0.name, $0.meaning] }
      ).folded(width: width)
    }
    return lines + ["", "under tasks:", ""]
      + plugin.documentation.sample.split(
        separator: "\n", omittingEmptySubsequences: false
      ).map { $0.isEmpty ? "" : "  \($0)" }
  }

  /// A table of keys.
  static func keys(_ keys: [SettingRow], width: Int) -> [String] {
    TextTable(
      columns: [
        .text("KEY"), .text("TYPE", shrinks: true), .text("DEFAULT"), .text("RANGE"),
        .text("WHAT IT IS", shrinks: true),
      ],
      rows: keys.map { [$0.key, $0.type, $0.standard, $0.range, $0.help] }
    ).folded(width: width)
  }

  /// The same in Markdown.
  static func markdown(_ keys: [SettingRow]) -> [String] {
    func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
    let rows = keys.map { key in
      let standard = key.standard.isEmpty ? "" : key.standard == "required" ? "required" : "`\(key.standard)`"
      return "| `\(key.key)` | \(cell(key.type)) | \(cell(standard)) | \(key.range) | \(cell(key.help)) |"
    }
    return ["| key | type | default | range | what it is |", "|---|---|---|---|---|"] + rows
  }
}
