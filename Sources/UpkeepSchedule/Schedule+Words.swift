import Foundation
import UpkeepCore

extension Schedule {
  /// The schedule for people: `every 1 d`, `at 03:15 every day, Europe/Riga`.
  public var words: String {
    switch self {
    case .interval(let interval): "every \(interval.spacedText)"
    case .cron(let expression, let zone): "\(expression.words), \(Self.name(of: zone))"
    }
  }

  private static func name(of zone: TimeZone) -> String {
    zone.identifier == "GMT" ? "UTC" : zone.identifier
  }
}

extension Duration {
  /// `1 h 30 min`, `14 d`.
  fileprivate var spacedText: String {
    var text = ""
    var letters = ""
    func end() {
      guard !letters.isEmpty else { return }
      text += " \(letters == "m" ? "min" : letters) "
      letters = ""
    }
    for character in durationText {
      if character.isNumber {
        end()
        text.append(character)
      } else {
        letters.append(character)
      }
    }
    end()
    return text.trimmingCharacters(in: .whitespaces)
  }
}
