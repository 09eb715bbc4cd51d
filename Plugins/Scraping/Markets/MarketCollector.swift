import UpkeepCore

/// Gathers the markets of one event: the map's, each line once, in a fixed order.
struct MarketCollector {
  private let map: MarketMap
  private let platform: String
  private var markets: [Key: ScrapedMarket] = [:]
  private var unmapped = 0

  private struct Key: Hashable {
    var id: String
    var line: Double?
  }

  init(_ map: MarketMap, platform: String) {
    self.map = map
    self.platform = platform
  }

  /// A market of the map by its id; one that isn't there is counted.
  mutating func market(id: String) -> MarketMap.Market? {
    counted(map.market(id: id))
  }

  /// A market of the map by the platform's key; one that isn't there is counted.
  mutating func market(knownAs key: String) -> MarketMap.Market? {
    counted(map.market(platform, knownAs: key))
  }

  private mutating func counted(_ market: MarketMap.Market?) -> MarketMap.Market? {
    if market == nil { unmapped += 1 }
    return market
  }

  /// Adds the odds of a market.
  /// - Throws: What `problem` makes of a line or a double that can't be.
  mutating func add(
    _ market: MarketMap.Market, named name: String? = nil, line text: String?, _ outcomes: [StoredOutcome],
    at path: String, groups: [String] = [], _ problem: (_ path: String, _ text: String) -> TaskError
  ) throws {
    guard !outcomes.isEmpty else { return }
    var line: Double?
    if market.line != .none {
      guard let number = text.flatMap({ PayloadNumber.line($0) }) else {
        throw problem(path, "expected a line such as 2.5, found \(text ?? "none")")
      }
      line = number
    }
    let sorted = outcomes.sorted { $0.name < $1.name }
    for (one, other) in zip(sorted, sorted.dropFirst()) where one.name == other.name {
      throw problem(path, "the outcome \(one.name) comes twice")
    }
    let new = ScrapedMarket(
      id: market.id, name: name ?? market.name, line: line, isHandicap: market.line == .handicap, outcomes: sorted,
      groups: groups)
    let key = Key(id: market.id, line: line)
    if let old = markets[key], old.outcomes != new.outcomes {
      throw problem(path, "the market \(market.name)\(line.map { " \($0)" } ?? "") comes twice, with other odds")
    }
    markets[key] = new
  }

  /// Puts the markets into their event.
  func finish(_ event: inout ScrapedEvent) {
    event.markets = markets.values.sorted { left, right in
      left.id == right.id ? (left.line ?? 0) < (right.line ?? 0) : left.id < right.id
    }
    event.unmapped = unmapped
  }
}
