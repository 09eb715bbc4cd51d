import ArgumentParser
import UpkeepHost
import UpkeepRuns

struct ValidateCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Check the configuration and report every problem.",
    usage: "upkeep validate [<options>]",
    discussion: """
      EXAMPLES:
        upkeep validate
        upkeep validate --live               also look at the databases
        upkeep validate --json               the problems as data
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Also open each database, and preview each task without recording it.")
  var live = false

  func execute(_ console: Console) async throws -> ExitStatus {
    let check = try ConfigurationCheck.check(options.config)
    var findings: [LiveFinding] = []
    if live && check.isValid {
      findings = await (try Host.load(options.config)).liveFindings()
    }
    if options.json {
      try console.printJSON(ValidationDocument(report: check.report, findings: live ? findings : nil))
    } else {
      console.complain(check.lines)
      console.print(FindingText.lines(findings, width: console.outputWidth, paint: console.outputPaint))
      if check.isValid && !console.isQuiet {
        let warnings = check.warnings == 0 ? "" : ", \(NumberText.counted(check.warnings, "warning"))"
        let wrong = findings.count { $0.level == .error }
        let live = wrong == 0 ? "" : ", but \(NumberText.counted(wrong, "error")) in what it names"
        console.print(["\(check.path): valid\(warnings)\(live)"])
      }
    }
    guard check.isValid else {
      if !options.json { console.complain(["\(check.path): \(NumberText.counted(check.errors, "error"))"]) }
      return .configuration
    }
    return findings.contains { $0.level == .error } ? .failed : .done
  }
}

/// What `validate --json` prints: the report, and with `--live` what was found.
private struct ValidationDocument: Encodable {
  let report: any Encodable & Sendable
  let findings: [LiveFinding]?

  enum CodingKeys: String, CodingKey {
    case live
  }

  func encode(to encoder: any Encoder) throws {
    try report.encode(to: encoder)
    guard let findings else { return }
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(findings, forKey: .live)
  }
}
