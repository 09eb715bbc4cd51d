import ArgumentParser
import UpkeepCore
import UpkeepHost

struct DescribeCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "Describe a plugin, or the keys of host or task.",
    discussion: """
      EXAMPLES:
        upkeep describe odds_retention       its settings, and a YAML sample
        upkeep describe task                 every key that a task may have
        upkeep describe host --markdown      as a table in Markdown
      """)

  @Argument(
    help: ArgumentHelp("A plugin, 'host' or 'task'.", valueName: "plugin"),
    completion: .list(BuiltInPlugins.all.map(\.id) + ["host", "task"]))
  var subject: String

  @Flag(name: .long, help: "Print the table of keys in Markdown.")
  var markdown = false

  @OptionGroup var options: GlobalOptions

  func execute(_ console: Console) async throws -> ExitStatus {
    if let keys = ["host": HostDescription.host, "task": HostDescription.task][subject] {
      if options.json {
        try console.printJSON(["keys": keys])
      } else {
        console.print(markdown ? PluginText.markdown(keys) : PluginText.keys(keys, width: console.outputWidth))
      }
      return .done
    }
    guard let plugin = BuiltInPlugins.all.first(where: { $0.id == subject }) else {
      throw UsageError.unknown("plugin", subject, among: BuiltInPlugins.all.map(\.id) + ["host", "task"])
    }
    if options.json {
      try console.printJSON(PluginDocument(plugin))
    } else if markdown {
      console.print(PluginText.markdown(HostDescription.keys(plugin.settings)))
    } else {
      console.print(PluginText.lines(plugin, width: console.outputWidth))
    }
    return .done
  }
}
