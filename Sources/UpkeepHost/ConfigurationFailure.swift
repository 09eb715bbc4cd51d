public import UpkeepCore

/// A configuration that can't be used, with every problem.
public struct ConfigurationFailure: Error, Sendable {
  /// The problems, errors and warnings, in the order of the file.
  public var diagnostics: [Diagnostic]
  /// The same for people: `FILE:LINE:COLUMN: error: …`, the source line and a caret.
  public var lines: [String]
}
