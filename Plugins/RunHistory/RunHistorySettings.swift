public import UpkeepCore

/// The settings of ``RunHistoryTask``: none, since `host.history` says how long records are kept.
public struct RunHistorySettings: TaskSettings {
  /// Creates them.
  public init() {}

  /// None.
  public static let fields: [SettingField<Self>] = []
}
