import Foundation

/// Where the program writes: data to standard output, everything else to standard error.
struct Console: Sendable {
  let output: Stream
  let errors: Stream
  let environment: [String: String]
  /// Whether to say nothing but errors.
  let isQuiet: Bool
  private let mayColour: Bool

  init(
    isQuiet: Bool = false, noColour: Bool = false, environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    output = Stream(descriptor: STDOUT_FILENO)
    errors = Stream(descriptor: STDERR_FILENO)
    self.environment = environment
    self.isQuiet = isQuiet
    mayColour = Self.mayColour(noColour: noColour, environment: environment)
  }

  /// Colours are for terminals, unless somebody doesn't want them: `--no-color`, `NO_COLOR`, `TERM=dumb`.
  static func mayColour(noColour: Bool, environment: [String: String]) -> Bool {
    !noColour && environment["NO_COLOR"]?.isEmpty != false && environment["TERM"] != "dumb"
  }

  var outputPaint: Paint { Paint(isOn: mayColour && output.isTerminal) }
  var errorPaint: Paint { Paint(isOn: mayColour && errors.isTerminal) }

  /// What takes the place of a width where nothing has to fit a terminal.
  static let widthOfFiles = 200

  /// The width that text on standard output has to fit; text for a file or another program isn't cut.
  var outputWidth: Int {
    output.isTerminal || environment["COLUMNS"] != nil ? output.width(environment: environment) : Self.widthOfFiles
  }

  var errorWidth: Int {
    errors.isTerminal || environment["COLUMNS"] != nil ? errors.width(environment: environment) : Self.widthOfFiles
  }

  /// Whether a line can be drawn again and again: on a terminal that isn't a dumb one.
  var canRedraw: Bool {
    errors.isTerminal && environment["TERM"] != "dumb"
  }

  /// Whether somebody is there to answer a question.
  var canAsk: Bool {
    isatty(STDIN_FILENO) == 1 && errors.isTerminal
  }

  /// Lines of data.
  func print(_ lines: [String]) {
    guard !lines.isEmpty else { return }
    output.write(lines.joined(separator: "\n") + "\n")
  }

  /// One JSON document.
  func printJSON(_ value: some Encodable) throws {
    output.writeLine(try JSONText.document(value, pretty: output.isTerminal))
  }

  /// Something for people beside the data; nothing where they want quiet.
  func note(_ lines: [String]) {
    guard !isQuiet, !lines.isEmpty else { return }
    errors.write(lines.joined(separator: "\n") + "\n")
  }

  /// Something that went wrong.
  func complain(_ lines: [String]) {
    guard !lines.isEmpty else { return }
    errors.write(lines.joined(separator: "\n") + "\n")
  }

  /// Asks a question; only `y` and `yes` mean yes.
  func confirm(_ question: String) -> Bool {
    errors.write("\(question) [y/N] ")
    return ["y", "yes"].contains((readLine() ?? "").lowercased())
  }
}
