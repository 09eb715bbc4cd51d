import Foundation
import UpkeepCore

/// Which markets are stored, and what each platform calls them: data, which a file of the user's extends.
struct MarketMap: Sendable {
  /// What the line of a market is.
  enum Line: String, Decodable, Sendable {
    /// It has none.
    case none
    /// The goals that over and under are about.
    case total
    /// The home side's handicap.
    case handicap
  }

  /// One market.
  struct Market: Decodable, Sendable {
    /// BetPawa's id, under which it is stored.
    var id: String
    /// Its name.
    var name: String
    /// What its line is.
    var line: Line
    /// The other platforms' keys for it.
    var knownAs: [String: String]
    /// Its outcomes.
    var outcomes: [Outcome]

    enum CodingKeys: String, CodingKey {
      case id, name, line, outcomes
      case knownAs = "known_as"
    }

    /// BetPawa's name for a platform's outcome, whatever its case. A line behind it (`Over 2.5`) isn't a part of it.
    func outcome(of platform: String, _ text: String) -> String? {
      let wanted = text.lowercased()
      let bare = wanted.split(separator: " ").filter { PayloadNumber.line($0) == nil }.joined(separator: " ")
      for word in [wanted, bare] where !word.isEmpty {
        let found = outcomes.first { ($0.knownAs[platform] ?? []).contains { $0.lowercased() == word } }
        if let found { return found.name }
      }
      return nil
    }
  }

  /// One outcome of a market.
  struct Outcome: Decodable, Sendable {
    /// BetPawa's name, under which it is stored.
    var name: String
    /// The other platforms' words for it.
    var knownAs: [String: [String]]

    enum CodingKeys: String, CodingKey {
      case name
      case knownAs = "known_as"
    }
  }

  private struct Document: Decodable {
    let markets: [Market]
  }

  private var byID: [String: Market] = [:]
  private var byPlatform: [String: [String: String]] = [:]

  /// The markets that come with the program, and those of a file: an entry with the id of a known one takes its place.
  /// - Throws: ``UpkeepCore/TaskError`` where the file can't be read or isn't such a map.
  init(file: String?) throws {
    try add(PackageResources.markets_json, place: "the built-in market map")
    guard let file else { return }
    guard let data = FileManager.default.contents(atPath: file) else {
      throw TaskError(
        code: "market_map", place: file, problem: "the market map can't be read",
        fix: "check the path and its permissions, or leave market_map out")
    }
    try add(Array(data), place: file)
  }

  private mutating func add(_ bytes: [UInt8], place: String) throws {
    let payload: Payload<Document>
    do {
      payload = try Payload<Document>(bytes, from: place)
    } catch let error as TaskError {
      throw TaskError(
        code: "market_map", place: place, problem: error.problem,
        fix: #"write {"markets": [{"id", "name", "line", "known_as", "outcomes"}]}"#)
    }
    for market in payload.value.markets {
      for (platform, key) in market.knownAs {
        if let other = byPlatform[platform]?[key], other != market.id {
          throw TaskError(
            code: "market_map", place: place, problem: "\(platform) \(key) is both market \(other) and \(market.id)",
            fix: "name it under one of them")
        }
      }
      if let old = byID[market.id] {
        for (platform, key) in old.knownAs { byPlatform[platform]?[key] = nil }
      }
      byID[market.id] = market
      for (platform, key) in market.knownAs { byPlatform[platform, default: [:]][key] = market.id }
    }
  }

  /// The market with BetPawa's id.
  func market(id: String) -> Market? { byID[id] }

  /// The market that a platform has under a key.
  func market(_ platform: String, knownAs key: String) -> Market? {
    byPlatform[platform]?[key].flatMap { byID[$0] }
  }
}
