import ArgumentParser
import UpkeepCore
import UpkeepHost

struct DescribeCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "Describe a plugin, or the keys of host, a database or a task.",
    usage: "upkeep describe <plugin> [<options>]",
    discussion: """
      EXAMPLES:
        upkeep describe odds_retention       its settings, and a YAML sample
        upkeep describe task                 every key that a task may have
        upkeep describe host --markdown      as a table in Markdown
      """)

  /// The parts of the YAML that aren't a plugin's.
  private static let parts = [
    "host": HostDescription.host, "database": HostDescription.database, "task": HostDescription.task,
  ]

  @Argument(
    help: ArgumentHelp("A plugin, 'host', 'database' or 'task'.", valueName: "plugin"),
    completion: .list(BuiltInPlugins.all.map(\.id) + DescribeCommand.parts.keys.sorted()))
  var subject: String

  @Flag(name: .long, help: "Print the table of keys in Markdown.")
  var markdown = false

  @OptionGroup var options: GlobalOptions

  func execute(_ console: Console) async throws -> ExitStatus {
    if let keys = Self.parts[subject] {
      if options.json {
        try console.printJSON(["keys": keys])
      } else {
        console.print(markdown ? PluginText.markdown(keys) : PluginText.keys(keys, width: console.outputWidth))
      }
      return .done
    }
    guard let plugin = BuiltInPlugins.all.first(where: { $0.id == subject }) else {
      throw UsageError.unknown("plugin", subject, among: BuiltInPlugins.all.map(\.id) + Self.parts.keys.sorted())
    }
    if options.json {
      try console.printJSON(PluginDocument(plugin))
    } else if markdown {
      console.print(PluginText.markdown(SettingRow.rows(plugin.settings)))
    } else {
      console.print(PluginText.lines(plugin, width: console.outputWidth))
    }
    return .done
  }
}
