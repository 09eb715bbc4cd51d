import UpkeepCore
import UpkeepHost

/// A plugin as data.
struct PluginDocument: Encodable {
  struct Count: Encodable {
    var name: String
    var meaning: String
  }

  let plugin: String
  let summary: String
  let powers: [String]
  let settings: [SettingRow]
  let counts: [Count]
  let sample: String

  init(_ descriptor: PluginDescriptor) {
    plugin = descriptor.id
    summary = descriptor.documentation.summary
    powers = PluginText.powers(descriptor)
    settings = SettingRow.rows(descriptor.settings)
    counts = descriptor.documentation.counts.map { Count(name: $0.name, meaning: $0.meaning) }
    sample = descriptor.documentation.sample
  }
}
