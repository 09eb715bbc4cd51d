public import UpkeepCore
import UpkeepDatabase

/// A sample database of no application in particular: 45 days of a device's readings and of a log, in tables as many
/// applications have them, each with another way to write times.
public struct AppSample: Sendable {
  /// How many days the data goes back.
  public static let days = 45
  private static let step = Duration.seconds(1800)
  private static let devices = 8
  private static let levels = ["debug", "info", "info", "debug", "warning", "info", "debug", "error"]

  /// Makes a new database in WAL mode.
  ///
  /// Nothing lies within the 28 minutes that follow a cutoff of whole days, so that a run some minutes after the first
  /// finds nothing new.
  /// - Parameters:
  ///   - path: The file; it must not exist.
  ///   - now: The instant that the data leads up to.
  ///   - scale: How much data: 1 is some 35,000 rows.
  /// - Returns: How many rows there are.
  /// - Throws: ``UpkeepCore/TaskError`` where the file can't be written.
  @discardableResult
  public static func make(at path: String, now: Timestamp, scale: Double) async throws -> Int {
    let database = SQLiteDatabase(name: "app", path: path, mayCreate: true)
    let session = try await database.open(.write(.normal), purpose: "upkeep/demo")
    let rows = try await session.perform { connection in
      try connection.query("PRAGMA journal_mode = WAL", []) { _ in }
      try connection.execute("BEGIN")
      for statement in tables { try connection.execute(statement) }
      let rows = try fill(connection, now: now, scale: scale)
      try connection.execute("COMMIT")
      return rows
    }
    await session.close()
    return rows
  }

  private static let tables = [
    "CREATE TABLE devices (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
    """
    CREATE TABLE readings (id INTEGER PRIMARY KEY, device_id INTEGER NOT NULL REFERENCES devices(id),
      taken_at INTEGER NOT NULL, value REAL NOT NULL)
    """,
    "CREATE INDEX ix_readings_taken_at ON readings (taken_at)",
    "CREATE INDEX ix_readings_device_id ON readings (device_id)",
    """
    CREATE TABLE alarms (id INTEGER PRIMARY KEY, reading_id INTEGER NOT NULL REFERENCES readings(id) ON DELETE CASCADE,
      text TEXT NOT NULL)
    """,
    "CREATE INDEX ix_alarms_reading_id ON alarms (reading_id)",
    "CREATE TABLE logs (id INTEGER PRIMARY KEY, created_at TEXT NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL)",
    "CREATE INDEX ix_logs_created_at ON logs (created_at)",
  ]

  private static func fill(_ connection: any DatabaseConnection, now: Timestamp, scale: Double) throws -> Int {
    var random = SampleRandom(seed: 11)
    for device in 1...devices {
      try connection.execute(
        "INSERT INTO devices VALUES (?1, ?2)", [.integer(Int64(device)), .text("sensor \(device)")])
    }
    var rows = devices
    let steps = Int(Duration.seconds(days * 86_400) / step)
    let logs = max(1, Int(8 * scale))
    for step in stride(from: steps - 1, through: 0, by: -1) {
      let at = now - Self.step * step - .seconds(120)
      // The last two devices were switched off long ago: their newest readings are all that is left of them.
      for device in 1...(step > steps * 3 / 4 ? devices : devices - 2) {
        try connection.execute(
          "INSERT INTO readings (device_id, taken_at, value) VALUES (?1, ?2, ?3)",
          [.integer(Int64(device)), .integer(at.seconds), .real(Double(random.below(4000)) / 100)])
        rows += 1
        guard random.once(in: 50) else { continue }
        try connection.execute("INSERT INTO alarms (reading_id, text) VALUES (last_insert_rowid(), 'too high')")
        rows += 1
      }
      for index in 0..<logs {
        let level = levels[random.below(levels.count)]
        try connection.execute(
          "INSERT INTO logs (created_at, level, message) VALUES (?1, ?2, ?3)",
          [.text(SampleTime.usual(at - .milliseconds(index * 700))), .text(level), .text("step \(step), \(index)")])
        rows += 1
      }
    }
    return rows
  }
}
