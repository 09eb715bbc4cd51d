import UpkeepHost

/// What `validate --live` found, a line each.
enum FindingText {
  static func lines(_ findings: [LiveFinding], width: Int, paint: Paint) -> [String] {
    findings.flatMap { finding in
      let level =
        switch finding.level {
        case .fine: paint.green("ok")
        case .warning: paint.yellow("warning")
        case .error: paint.red("error")
        }
      return TextTable.wrapped("\(level): \(finding.subject): \(finding.message)", to: width, indent: 2)
    }
  }
}
