import Foundation
import UpkeepCore
import UpkeepDatabase

/// The odds of a snapshot in comparable form: by market and line, outcomes in the order of their names.
struct StoredMarkets: Equatable {
  /// What tells one market of an event from another.
  struct Key: Hashable {
    var id: String
    var line: Double?
  }

  /// The outcomes of each market.
  private(set) var outcomes: [Key: [StoredOutcome]] = [:]

  init() {}

  init(_ markets: [ScrapedMarket]) {
    for market in markets { outcomes[market.key] = market.outcomes }
  }

  /// Takes a stored row. One that can't be read equals nothing, so that its odds are written anew.
  mutating func take(id: String?, line: DatabaseValue, outcomes text: String?) {
    guard let id, let text else { return }
    outcomes[Key(id: id, line: line.number)] = OutcomesText.read(text) ?? []
  }
}

extension ScrapedMarket {
  var key: StoredMarkets.Key { StoredMarkets.Key(id: id, line: line) }
}

/// Outcomes as the application stores them: `[{"name":"1","odds":2.15,"is_active":true}]`.
enum OutcomesText {
  static func write(_ outcomes: [StoredOutcome]) -> String {
    let entries = outcomes.map { outcome in
      "{\"name\":\(quoted(outcome.name)),\"odds\":\(outcome.odds),\"is_active\":\(outcome.isActive)}"
    }
    return "[\(entries.joined(separator: ","))]"
  }

  /// Reads them, in the order of their names; nothing where the text is something else.
  static func read(_ text: String) -> [StoredOutcome]? {
    let found = try? JSONDecoder().decode([StoredOutcome].self, from: Data(text.utf8))
    return found?.sorted { $0.name < $1.name }
  }

  /// A list of texts.
  static func write(_ texts: [String]) -> String {
    "[\(texts.map(quoted).joined(separator: ","))]"
  }

  /// A list of numbers.
  static func write(_ numbers: [Int64]) -> String {
    "[\(numbers.map(String.init).joined(separator: ","))]"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case _ where scalar.value < 32:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
