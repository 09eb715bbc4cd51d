public import Foundation
import UpkeepConfiguration

/// What came of checking a configuration, for people and for programs.
public struct ConfigurationCheck: Sendable {
  /// The file, as it was given.
  public let path: String
  /// Whether it can be used.
  public let isValid: Bool
  /// How many errors there are.
  public let errors: Int
  /// How many warnings there are.
  public let warnings: Int
  /// The problems with their source lines, for people.
  public let lines: [String]
  /// The problems as data.
  public let report: any Encodable & Sendable

  /// Checks the file that ``Host/load(_:environment:)`` would load.
  /// - Throws: ``ConfigurationFailure`` where there is none.
  public static func check(
    _ option: String?, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> ConfigurationCheck {
    let path = try Host.locate(option, environment: environment)
    let loaded = ConfigurationLoader(plugins: BuiltInPlugins.all, environment: environment).load(file: path)
    let report = DiagnosticReport(loaded)
    return ConfigurationCheck(
      path: path, isValid: report.valid, errors: report.errors, warnings: report.warnings,
      lines: ConfigurationFailure(loaded).lines, report: report)
  }
}
