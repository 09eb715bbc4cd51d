public import UpkeepCore
import UpkeepSchedule

/// How the log looks.
public enum LogFormat: String, SettingEnumeration, Codable {
  /// Lines for people.
  case text
  /// One JSON object a line.
  case json
}

/// The least important messages that are logged.
public enum LogLevel: String, SettingEnumeration, Codable {
  /// Everything.
  case trace
  /// What helps to find a fault.
  case debug
  /// What happens.
  case info
  /// What deserves a look.
  case notice
  /// What may go wrong.
  case warning
  /// What went wrong.
  case error
  /// What stops the host.
  case critical
}

/// An address to listen on: a host name or IP address, and a port.
public struct ListenAddress: SettingValue, Hashable {
  /// The name or address; an IPv6 address without its brackets.
  public var host: String
  /// The port, 0 to 65535; 0 lets the system choose.
  public var port: Int

  /// Creates an address.
  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  static let standard = ListenAddress(host: "127.0.0.1", port: 8787)

  /// ``SettingKind/string``
  public static var kind: SettingKind { .string }

  /// Whether only this machine can reach it.
  public var isLoopback: Bool {
    let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    // A name such as 127.example.org is anybody's.
    return host == "localhost" || host == "::1" || (numbers.count == 4 && numbers[0] == 127 && !numbers.contains(nil))
  }

  /// `127.0.0.1:8787`, `[::1]:8787`
  public var text: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  /// Reads `HOST:PORT`.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> ListenAddress {
    let problem = SettingProblem("expected HOST:PORT such as 127.0.0.1:8787 or [::1]:8787, found \(node.found)")
    guard case .string(let text) = node.content, let colon = text.lastIndex(of: ":") else { throw problem }
    var host = String(text[..<colon])
    let digits = text[text.index(after: colon)...]
    guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(digits) else { throw problem }
    guard port <= 65_535 else { throw SettingProblem("expected a port of 0 to 65535, found \(port)") }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      throw problem
    }
    guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" || $0 == "@" }) else { throw problem }
    return ListenAddress(host: host, port: port)
  }

  /// ``text``
  public var json: JSONValue { .string(text) }
}

/// An `http` or `https` address.
struct WebAddress: SettingValue, Hashable {
  var text: String

  static var kind: SettingKind { .string }

  static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> WebAddress {
    let text = try String.read(node, in: scope)
    let scheme = ["http://", "https://"].first { text.lowercased().hasPrefix($0) }
    guard let scheme, let first = text.dropFirst(scheme.count).first, first != "/",
      !text.contains(where: \.isWhitespace)
    else { throw SettingProblem("expected an address that begins with http:// or https://, found \(node.found)") }
    return WebAddress(text: text)
  }

  var json: JSONValue { .string(Secret.masked(text)) }
}

/// The text of a cron expression.
struct CronText: SettingValue, Hashable {
  var expression: CronExpression

  static var kind: SettingKind { .string }

  static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> CronText {
    guard case .string(let text) = node.content else {
      throw SettingProblem(
        code: "bad_cron", "expected a cron expression such as \"15 3 * * *\", found \(node.found)")
    }
    do throws(CronError) {
      return CronText(expression: try CronExpression(text))
    } catch {
      throw SettingProblem(code: "bad_cron", error.message)
    }
  }

  var json: JSONValue { .string(expression.text) }
}

/// Where the host keeps its state, before the databases are known.
struct StateText: SettingValue, Hashable {
  var text: String

  static var kind: SettingKind { .string }

  static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> StateText {
    let text = try String.read(node, in: scope)
    guard !text.isEmpty, !text.unicodeScalars.contains("\0") else {
      throw SettingProblem("expected a path or the name of a database, found \(node.found)")
    }
    return StateText(text: text)
  }

  var json: JSONValue { .string(text) }
}
