import Foundation
import UpkeepCore

/// A request to a stand-in platform.
struct StandInRequest: Sendable {
  /// The platform's name.
  var platform: String
  /// The path behind the platform's prefix.
  var path: String
  /// The parameters, decoded.
  var query: [String: String]
  /// The body.
  var body: [UInt8]

  /// Which kind of request it is.
  var scope: StandInFault.Scope {
    switch path {
    case "/api/sportsbook/v3/categories/list/2", "/api/ng/factsCenter/popularAndSportList", "/GetSports": .tournaments
    case "/api/sportsbook/v3/events/lists/by-queries", "/api/ng/factsCenter/pcEvents", "/GetEventsInGroupV2": .events
    default: .event
    }
  }
}

/// The answers of the platforms, each in its own format.
struct StandInAnswers {
  let odds: StandInOdds
  /// Matches that a platform doesn't list.
  let hidden: Set<Int>
  /// Matches that it lists and no longer has.
  let gone: Set<Int>

  /// The JSON of an answer; nothing means 404.
  func answer(_ request: StandInRequest) -> String? {
    switch request.platform {
    case "betpawa": betPawa(request)
    case "sportybet": sportyBet(request)
    case "bet9ja": bet9ja(request)
    default: nil
    }
  }

  private func listed(_ tournament: Int) -> [Int] {
    odds.members(of: tournament).filter { !hidden.contains($0) }
  }

  private func has(_ event: Int?) -> Int? {
    event.flatMap { (0..<odds.events).contains($0) && !hidden.contains($0) && !gone.contains($0) ? $0 : nil }
  }

  private func list(_ entries: [String]) -> String { "[\(entries.joined(separator: ","))]" }
  private func time(_ event: Int) -> String { String(odds.kickoff(event).rfc3339.prefix(19)) }

  // MARK: - BetPawa

  private func betPawa(_ request: StandInRequest) -> String? {
    switch request.scope {
    case .tournaments:
      let regions = (0..<odds.tournaments).map { tournament in
        """
        {"region":{"name":"\(odds.country(tournament))"},"competitions":[{"competition":\
        {"id":"\(11_000 + tournament)","name":"\(odds.tournamentName(tournament))"}}]}
        """
      }
      return #"{"withRegions":[{"category":{"id":"2"},"regions":\#(list(regions))}]}"#
    case .events:
      guard let query = Self.betPawaQuery(request.query["q"]) else { return nil }
      let events = listed(query.tournament).dropFirst(query.skip).prefix(query.take).map { event in
        """
        {"id":"\(30_000_000 + event)","name":"\(odds.home(event)) - \(odds.away(event))",\
        "startTime":"\(time(event))Z","widgets":[{"type":"SPORTRADAR","id":"\(odds.sportradarID(event))"}]}
        """
      }
      return #"{"responses":[{"responses":\#(list(Array(events)))}]}"#
    default:
      guard let id = request.path.split(separator: "/").last.flatMap({ Int($0) }), let event = has(id - 30_000_000)
      else { return nil }
      return betPawaEvent(event)
    }
  }

  private static func betPawaQuery(_ text: String?) -> (tournament: Int, skip: Int, take: Int)? {
    guard let text, let document = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)),
      case .object(let root) = document, case .array(let queries) = root["queries"],
      case .object(let entry) = queries.first, case .integer(let skip) = entry["skip"],
      case .integer(let take) = entry["take"], case .object(let query) = entry["query"],
      case .object(let zones) = query["zones"], case .array(let competitions) = zones["competitions"],
      case .string(let id) = competitions.first, let number = Int(id)
    else { return nil }
    return (number - 11_000, skip, take)
  }

  private func betPawaEvent(_ event: Int) -> String {
    func market(_ id: String, _ name: String, _ rows: [String]) -> String {
      #"{"marketType":{"id":"\#(id)","displayName":"\#(name)","tabs":["popular"]},"row":\#(list(rows))}"#
    }
    func row(_ line: String?, _ first: Int, _ names: [String]) -> String {
      let prices = names.enumerated().map { index, name in
        #"{"name":"\#(name)","price":\#(odds.odds(event, 0, first + index)),"suspended":false,"handicap":null}"#
      }
      return #"{"formattedHandicap":\#(line.map { "\"\($0)\"" } ?? "null"),"prices":\#(list(prices))}"#
    }
    let totals = StandInOdds.lines.enumerated().map { row($1, 10 + 2 * $0, ["Over", "Under"]) }
    let markets = [
      market("3743", "1X2 | Full Time", [row(nil, 0, ["1", "X", "2"])]),
      market("4693", "Double Chance | Full Time", [row(nil, 3, ["1X", "X2", "12"])]),
      market("3795", "Both Teams To Score | Full Time", [row(nil, 6, ["Yes", "No"])]),
      market("5000", "Over/Under | Full Time", totals),
      market("28000", "Correct Score", [row(nil, 20, ["1-0", "0-0", "0-1"])]),
    ]
    let tournament = odds.tournament(of: event)
    return """
      {"id":"\(30_000_000 + event)","name":"\(odds.home(event)) - \(odds.away(event))","startTime":"\(time(event))Z",\
      "participants":[{"name":"\(odds.home(event))","position":1},{"name":"\(odds.away(event))","position":2}],\
      "competition":{"id":"\(11_000 + tournament)","name":"\(odds.tournamentName(tournament))"},\
      "region":{"name":"\(odds.country(tournament))"},\
      "widgets":[{"type":"SPORTRADAR","id":"\(odds.sportradarID(event))"}],"markets":\(list(markets))}
      """
  }

  // MARK: - SportyBet

  private func sportyBet(_ request: StandInRequest) -> String? {
    switch request.scope {
    case .tournaments:
      let categories = (0..<odds.tournaments).map { tournament in
        """
        {"id":"sr:category:\(tournament)","name":"\(odds.country(tournament))","tournaments":\
        [{"id":"sr:tournament:\(100 + tournament)","name":"\(odds.tournamentName(tournament))"}]}
        """
      }
      return Self.good(#"{"sportList":[{"id":"sr:sport:1","categories":\#(list(categories))}]}"#)
    case .events:
      let text = String(decoding: request.body, as: UTF8.self)
      guard let start = text.range(of: "sr:tournament:"),
        let number = Int(text[start.upperBound...].prefix { $0.isNumber })
      else { return nil }
      let events = listed(number - 100).map { event in
        """
        {"eventId":"sr:match:\(odds.sportradarID(event))",\
        "estimateStartTime":\(odds.kickoff(event).microseconds / 1000)}
        """
      }
      return Self.good(#"[{"id":"sr:tournament:\#(number)","events":\#(list(events))}]"#)
    default:
      guard let number = request.query["eventId"].flatMap({ Int($0.split(separator: ":").last ?? "") }),
        let event = has(number - 60_000_001)
      else { return #"{"bizCode":19000,"message":"Event not found","data":null}"# }
      return Self.good(sportyBetEvent(event))
    }
  }

  private static func good(_ data: String) -> String {
    #"{"bizCode":10000,"message":"0#0","data":\#(data)}"#
  }

  private func sportyBetEvent(_ event: Int) -> String {
    func market(_ id: String, _ specifier: String?, _ first: Int, _ outcomes: [(String, String)]) -> String {
      let entries = outcomes.enumerated().map { index, outcome in
        """
        {"id":"\(outcome.0)","desc":"\(outcome.1)","odds":"\(odds.odds(event, 1, first + index))","isActive":1}
        """
      }
      let line = specifier.map { ",\"specifier\":\"\($0)\"" } ?? ""
      return #"{"id":"\#(id)","desc":"Market \#(id)"\#(line),"outcomes":\#(list(entries))}"#
    }
    var markets = [
      market("1", nil, 0, [("1", "Home"), ("2", "Draw"), ("3", "Away")]),
      market("10", nil, 3, [("9", "Home or Draw"), ("10", "Home or Away"), ("11", "Draw or Away")]),
      market("29", nil, 6, [("74", "Yes"), ("76", "No")]),
      market("14", "hcp=0:1", 30, [("1711", "Home (0:1)"), ("1712", "Draw (0:1)"), ("1713", "Away (0:1)")]),
    ]
    for (index, line) in StandInOdds.lines.enumerated() {
      markets.append(market("18", "total=\(line)", 10 + 2 * index, [("12", "Over \(line)"), ("13", "Under \(line)")]))
    }
    let tournament = odds.tournament(of: event)
    return """
      {"eventId":"sr:match:\(odds.sportradarID(event))",\
      "estimateStartTime":\(odds.kickoff(event).microseconds / 1000),"homeTeamName":"\(odds.home(event))",\
      "awayTeamName":"\(odds.away(event))","sport":{"id":"sr:sport:1","category":{"id":"sr:category:\(tournament)",\
      "name":"\(odds.country(tournament))","tournament":{"id":"sr:tournament:\(100 + tournament)",\
      "name":"\(odds.tournamentName(tournament))"}}},"markets":\(list(markets))}
      """
  }

  // MARK: - Bet9ja

  private func bet9ja(_ request: StandInRequest) -> String? {
    switch request.scope {
    case .tournaments:
      let groups = (0..<odds.tournaments).map { tournament in
        """
        "\(500 + tournament)":{"SG_DESC":"\(odds.country(tournament))","G":{"\(900 + tournament)":\
        {"G_DESC":"\(odds.tournamentName(tournament))"}}}
        """
      }
      return #"{"R":"OK","D":{"PAL":{"1":{"S_DESC":"Soccer","SG":{\#(groups.joined(separator: ","))}}}}}"#
    case .events:
      guard let group = request.query["GROUPID"].flatMap({ Int($0) }) else { return nil }
      let events = listed(group - 900).map { event in
        """
        {"ID":"\(70_000_000 + event)","EXTID":"\(odds.sportradarID(event))",\
        "DS":"\(odds.home(event)) - \(odds.away(event))","STARTDATE":"\(bet9jaTime(event))"}
        """
      }
      return #"{"R":"OK","D":{"E":\#(list(events))}}"#
    default:
      guard let id = request.query["EVENTID"].flatMap({ Int($0) }), let event = has(id - 70_000_000) else {
        return #"{"R":"E","D":null}"#
      }
      return bet9jaEvent(event)
    }
  }

  private func bet9jaTime(_ event: Int) -> String { time(event).replacing("T", with: " ") }

  private func bet9jaEvent(_ event: Int) -> String {
    var keys = ["S_1X2_1", "S_1X2_X", "S_1X2_2", "S_DC_1X", "S_DC_12", "S_DC_X2", "S_GGNG_Y", "S_GGNG_N"]
    for line in StandInOdds.lines { keys += ["S_OU@\(line)_O", "S_OU@\(line)_U"] }
    keys += ["S_CS_1-0", "S_CS_0-0", "S_1X2HT_1"]
    let entries = keys.enumerated().map { #""\#($1)":"\#(odds.odds(event, 2, $0))""# }
    let tournament = odds.tournament(of: event)
    return """
      {"R":"D","D":{"ID":"\(70_000_000 + event)","DS":"\(odds.home(event)) - \(odds.away(event))",\
      "STARTDATE":"\(bet9jaTime(event))","GN":"\(odds.tournamentName(tournament))",\
      "SG":"\(odds.country(tournament))","GID":"\(900 + tournament)","O":{\(entries.joined(separator: ","))}}}
      """
  }
}
