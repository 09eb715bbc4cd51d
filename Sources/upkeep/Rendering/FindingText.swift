import UpkeepHost

/// What `validate --live` found, a line each.
enum FindingText {
  static func lines(_ findings: [LiveFinding], paint: Paint) -> [String] {
    findings.map { finding in
      let level =
        switch finding.level {
        case .fine: paint.green("ok")
        case .warning: paint.yellow("warning")
        case .error: paint.red("error")
        }
      return "\(level): \(finding.subject): \(finding.message)"
    }
  }
}
