public import UpkeepCore

/// The settings of ``NoopTask``.
public struct NoopSettings: TaskSettings {
  /// How long it takes.
  public var duration = Duration.zero
  /// Whether it fails at its end.
  public var fail = false

  /// Creates the defaults.
  public init() {}

  /// The declared settings.
  public static let fields: [SettingField<Self>] = [
    SettingField("duration", \.duration, "How long the run takes"),
    SettingField("fail", \.fail, "Whether the run fails at its end"),
  ]
}
