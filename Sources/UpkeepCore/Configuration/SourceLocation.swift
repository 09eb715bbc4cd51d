/// A place in a text file.
public struct SourcePosition: Hashable, Comparable, Sendable {
  /// The line, from 1.
  public var line: Int
  /// The column in characters, from 1.
  public var column: Int
  /// The place in UTF-8 bytes from the file's start, from 0.
  public var offset: Int

  /// Creates a place.
  public init(line: Int, column: Int, offset: Int = 0) {
    self.line = line
    self.column = column
    self.offset = offset
  }

  /// The earlier place comes first.
  public static func < (left: SourcePosition, right: SourcePosition) -> Bool {
    (left.line, left.column) < (right.line, right.column)
  }
}

/// A stretch of a text file, its end left out.
public struct SourceRange: Hashable, Sendable {
  /// Where it starts.
  public var start: SourcePosition
  /// The first place behind it.
  public var end: SourcePosition

  /// Creates a stretch.
  public init(start: SourcePosition, end: SourcePosition) {
    self.start = start
    self.end = end
  }
}

/// Where a configured value comes from.
public enum ValueOrigin: Hashable, Sendable {
  /// A configuration file, as it was given, and the place of the value in it.
  case file(path: String, range: SourceRange)
  /// An environment variable.
  case environment(variable: String)
  /// `--set` on the command line, with the `KEY=VALUE` that people may see of it.
  case commandLine(argument: String = "")
  /// Nothing was said: the declared default.
  case standard

  /// `upkeep.yaml:12:5`, `environment UPKEEP_TASKS__X__INTERVAL`, `--set interval=5m` or `default`.
  public var text: String {
    switch self {
    case .file(let path, let range): "\(path):\(range.start.line):\(range.start.column)"
    case .environment(let variable): "environment \(variable)"
    case .commandLine(let argument): argument.isEmpty ? "--set" : "--set \(argument)"
    case .standard: "default"
    }
  }

  /// The line of the file that it stands on, from 1.
  public var line: Int? {
    if case .file(_, let range) = self { range.start.line } else { nil }
  }
}
