public import UpkeepCore

/// What becomes of tournaments that have no event left.
public enum EmptyTournaments: String, SettingEnumeration {
  /// They go.
  case purge
  /// They stay.
  case keep
}

/// The settings of ``OddsRetentionTask``.
public struct OddsRetentionSettings: TaskSettings {
  /// The odds application's database.
  public var database = DatabaseName("")
  /// How long snapshots of odds, their markets and scrape runs are kept.
  public var oddsKeep = Duration.seconds(14 * 86_400)
  /// How long events are kept after their kickoff.
  public var matchKeep = Duration.seconds(14 * 86_400)
  /// What becomes of tournaments that have no event left.
  public var emptyTournaments = EmptyTournaments.purge

  /// Creates the defaults.
  public init() {}

  /// The declared settings.
  public static let fields: [SettingField<Self>] = [
    SettingField("database", \.database, required: true, "The name of the odds application's database"),
    SettingField(
      "odds_keep", \.oddsKeep, in: .seconds(3600)...(.seconds(3650 * 86_400)),
      "How long odds, their markets and scrape runs are kept, counted from the last time the odds were seen"),
    SettingField(
      "match_keep", \.matchKeep, in: .seconds(3600)...(.seconds(3650 * 86_400)),
      "How long matches are kept after their kickoff, with all that belongs to them"),
    SettingField("empty_tournaments", \.emptyTournaments, "What becomes of tournaments without a match"),
  ]
}
