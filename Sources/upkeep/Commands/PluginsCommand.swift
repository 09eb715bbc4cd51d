import ArgumentParser
import UpkeepCore
import UpkeepHost

struct PluginsCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "plugins",
    abstract: "List the plugins.",
    discussion: """
      EXAMPLES:
        upkeep plugins
        upkeep describe odds_retention
      """)

  @OptionGroup var options: GlobalOptions

  func execute(_ console: Console) async throws -> ExitStatus {
    let plugins = BuiltInPlugins.all
    if options.json {
      try console.printJSON(["plugins": plugins.map { PluginDocument($0) }])
    } else {
      console.print(PluginText.list(plugins, width: console.outputWidth))
    }
    return .done
  }
}
