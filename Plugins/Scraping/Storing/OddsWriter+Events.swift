import UpkeepCore
import UpkeepDatabase

/// Tournaments, events and their links.
extension OddsWriter {
  /// The row of an event: of its platform's table, and of `events` where it is known there.
  struct EventRow {
    var id: Int64
    var event: Int64?
    /// Whether the two were not linked before.
    var isNewLink = false
  }

  /// Makes or brings up to date an event of BetPawa's side.
  func ownEvent(_ event: ScrapedEvent) throws -> EventRow {
    let tournament = try ownTournament(event.tournament)
    let found = try connection.first(
      """
      SELECT id, tournament_id, name, home_team, away_team, kickoff FROM events WHERE sportradar_id = ?1
      """, [.text(event.sportradarID)])
    let values: [DatabaseValue] = [
      .integer(tournament), .text(event.name), .text(event.home), .text(event.away), .time(event.kickoff),
    ]
    let id: Int64
    if let found, let known = found[0].integer {
      id = known
      if Array(found[1...4]) != Array(values[0...3]) || found[5].instant != event.kickoff {
        try connection.execute(
          """
          UPDATE events SET tournament_id = ?1, name = ?2, home_team = ?3, away_team = ?4, kickoff = ?5 WHERE id = ?6
          """, values + [.integer(id)])
      }
    } else {
      id = try inserted(
        """
        INSERT INTO events(tournament_id, name, home_team, away_team, kickoff, sportradar_id, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id
        """, values + [.text(event.sportradarID), .time(now)])
    }
    try writeLink(id, BetPawa.name, event.id)
    return EventRow(id: id, event: id)
  }

  private func ownTournament(_ tournament: ScrapedTournament) throws -> Int64 {
    let values: [DatabaseValue] = [
      .integer(references.sport), .text(tournament.name), .text(tournament.country),
    ]
    let found = try connection.first(
      "SELECT id FROM tournaments WHERE sport_id = ?1 AND name = ?2 AND country = ?3", values)?[0].integer
    if let found { return found }
    return try inserted("INSERT INTO tournaments(sport_id, name, country) VALUES (?1, ?2, ?3) RETURNING id", values)
  }

  /// Makes or brings up to date an event of a competitor, and links it to the event that it is.
  func competitorEvent(_ event: ScrapedEvent, _ platform: String) throws -> EventRow {
    let tournament = try competitorTournament(event.tournament, platform)
    let own = try connection.first(
      "SELECT id FROM events WHERE sportradar_id = ?1", [.text(event.sportradarID)])?[0].integer
    let found = try connection.first(
      """
      SELECT id, tournament_id, name, home_team, away_team, sportradar_id, betpawa_event_id, kickoff, deleted_at
      FROM competitor_events WHERE source = ?1 AND external_id = ?2
      """, [.text(platform), .text(event.id)])
    let values: [DatabaseValue] = [
      .integer(tournament), .text(event.name), .text(event.home), .text(event.away), .text(event.sportradarID),
      own.map { .integer($0) } ?? .null, .time(event.kickoff),
    ]
    let id: Int64
    if let found, let known = found[0].integer {
      id = known
      let isSame = Array(found[1...6]) == Array(values[0...5]) && found[7].instant == event.kickoff
      if !isSame || found[8] != .null {
        try connection.execute(
          """
          UPDATE competitor_events SET tournament_id = ?1, name = ?2, home_team = ?3, away_team = ?4,
            sportradar_id = ?5, betpawa_event_id = ?6, kickoff = ?7, updated_at = ?8, deleted_at = NULL WHERE id = ?9
          """, values + [.time(now), .integer(id)])
      }
    } else {
      id = try inserted(
        """
        INSERT INTO competitor_events(tournament_id, name, home_team, away_team, sportradar_id, betpawa_event_id,
          kickoff, source, external_id, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10) RETURNING id
        """, values + [.text(platform), .text(event.id), .time(now)])
    }
    if let own { try writeLink(own, platform, event.id) }
    return EventRow(id: id, event: own, isNewLink: own != nil && found.map { $0[6].integer != own } ?? false)
  }

  private func competitorTournament(_ tournament: ScrapedTournament, _ platform: String) throws -> Int64 {
    let found = try connection.first(
      """
      SELECT id, name, country_raw, sportradar_id, deleted_at FROM competitor_tournaments
      WHERE source = ?1 AND external_id = ?2
      """, [.text(platform), .text(tournament.id)])
    let values: [DatabaseValue] = [
      .text(tournament.name), .text(tournament.country), .optional(tournament.sportradarID),
    ]
    if let found, let id = found[0].integer {
      if Array(found[1...3]) != values || found[4] != .null {
        try connection.execute(
          """
          UPDATE competitor_tournaments SET name = ?1, country_raw = ?2, sportradar_id = ?3, deleted_at = NULL
          WHERE id = ?4
          """, values + [.integer(id)])
      }
      return id
    }
    return try inserted(
      """
      INSERT INTO competitor_tournaments(name, country_raw, sportradar_id, source, external_id, sport_id, created_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id
      """, values + [.text(platform), .text(tournament.id), .integer(references.sport), .time(now)])
  }

  /// Says that a bookmaker has an event.
  func writeLink(_ event: Int64, _ platform: String, _ externalID: String) throws {
    let bookmaker = references.bookmaker(platform)
    let found = try connection.first(
      "SELECT id, external_event_id FROM event_bookmakers WHERE event_id = ?1 AND bookmaker_id = ?2",
      [.integer(event), .integer(bookmaker)])
    guard let found else {
      try connection.execute(
        """
        INSERT INTO event_bookmakers(event_id, bookmaker_id, external_event_id, created_at) VALUES (?1, ?2, ?3, ?4)
        """, [.integer(event), .integer(bookmaker), .text(externalID), .time(now)])
      return
    }
    guard found[1].text != externalID else { return }
    try connection.execute(
      "UPDATE event_bookmakers SET external_event_id = ?1 WHERE id = ?2", [.text(externalID), found[0]])
  }

  /// Events of a platform that begin later than now, with what tells them on the platform.
  func upcoming(_ platform: String) throws -> [(row: EventRow, sportradarID: String)] {
    let isOwn = platform == BetPawa.name
    let rows =
      try isOwn
      ? connection.rows(
        """
        SELECT e.id, e.id, e.sportradar_id, e.kickoff FROM events e
        JOIN event_bookmakers b ON b.event_id = e.id WHERE b.bookmaker_id = ?1
        """, [.integer(references.bookmaker(platform))])
      : connection.rows(
        """
        SELECT id, betpawa_event_id, sportradar_id, kickoff FROM competitor_events
        WHERE source = ?1 AND deleted_at IS NULL
        """, [.text(platform)])
    return rows.compactMap { row in
      guard let id = row[0].integer, let sportradarID = row[2].text, let kickoff = row[3].instant, kickoff > now
      else { return nil }
      return (EventRow(id: id, event: row[1].integer), sportradarID)
    }
  }
}
