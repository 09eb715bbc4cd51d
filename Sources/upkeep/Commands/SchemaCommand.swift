import ArgumentParser
import UpkeepHost

struct SchemaCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Print the JSON Schema of the YAML, for editors.",
    discussion: """
      EXAMPLES:
        upkeep schema > upkeep.schema.json
        # then, as the first line of the YAML:
        # yaml-language-server: $schema=./upkeep.schema.json
      """)

  @OptionGroup var options: GlobalOptions

  func execute(_ console: Console) async throws -> ExitStatus {
    console.output.writeLine(try JSONText.document(HostDescription.schema, pretty: true))
    return .done
  }
}
