import UpkeepCore
import UpkeepDatabase

/// The ids of the sport and the bookmakers, which are never purged.
struct OddsReferences: Sendable {
  let sport: Int64
  private let bookmakers: [String: Int64]

  /// Finds them, and makes those that aren't there.
  init(_ connection: any DatabaseConnection, now: Timestamp) throws {
    let found = try connection.first("SELECT id FROM sports WHERE slug = 'football'")?[0].integer
    if let found {
      sport = found
    } else {
      sport = try Self.id("INSERT INTO sports(name, slug) VALUES ('Football', 'football') RETURNING id", [], connection)
    }
    var bookmakers: [String: Int64] = [:]
    for platform in Platforms.all {
      let known = try connection.first(
        "SELECT id FROM bookmakers WHERE slug = ?1", [.text(platform.name)])?[0].integer
      bookmakers[platform.name] =
        try known
        ?? Self.id(
          """
          INSERT INTO bookmakers(name, slug, is_active, created_at, updated_at) VALUES (?1, ?2, TRUE, ?3, ?3)
          RETURNING id
          """, [.text(platform.title), .text(platform.name), .time(now)], connection)
    }
    self.bookmakers = bookmakers
  }

  /// The row of a platform in `bookmakers`.
  func bookmaker(_ platform: String) -> Int64 { bookmakers[platform] ?? 0 }

  private static func id(
    _ sql: String, _ values: [DatabaseValue], _ connection: any DatabaseConnection
  ) throws -> Int64 {
    try connection.first(sql, values)?[0].integer ?? 0
  }
}
