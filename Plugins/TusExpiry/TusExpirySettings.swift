public import UpkeepCore
public import UpkeepSchedule

/// Whose files lie in an upload folder.
public enum LayoutChoice: String, SettingEnumeration {
  /// Each sidecar is read as what it looks like.
  case auto
  /// tuspyserver.
  case tuspyserver
  /// tusd with its filestore.
  case tusd
  /// @tus/file-store for Node.
  case node
  /// rustus with its file storage.
  case rustus
}

/// What an upload's age is counted from.
public enum ExpiryStart: String, SettingEnumeration {
  /// When it was created.
  case creation
  /// When its data was last written.
  case activity
}

/// What becomes of finished uploads.
public enum CompletedUploads: String, SettingEnumeration {
  /// They stay.
  case keep
  /// They go at an age of their own.
  case expire
}

/// What becomes of data that no sidecar belongs to.
public enum OrphanData: String, SettingEnumeration {
  /// It stays.
  case keep
  /// It goes at an age of its own.
  case purge
}

/// What happens where the folder lies on another device than in the last run.
public enum DeviceChange: String, SettingEnumeration {
  /// The run is refused: its mount may be missing.
  case refuse
  /// The run goes on.
  case accept
}

/// The settings of ``TusExpiryTask``.
public struct TusExpirySettings: TaskSettings {
  private static let day = Duration.seconds(86_400)

  /// The upload folder.
  public var folder = SettingPath("")
  /// Whose files lie in it.
  public var layout = LayoutChoice.auto
  /// How long an unfinished upload stays where its sidecar has no expiry of its own.
  public var expireAfter = day
  /// What that is counted from.
  public var expireFrom = ExpiryStart.creation
  /// What becomes of finished uploads.
  public var completed = CompletedUploads.keep
  /// How long a finished upload stays after its last byte.
  public var completedAfter: Duration?
  /// What becomes of data without a sidecar.
  public var orphanData = OrphanData.keep
  /// How old a sidecar without data, or data without a sidecar, must be.
  public var orphanAge = day
  /// How long nothing must have been written to an upload.
  public var quiet = Duration.seconds(120)
  /// How long an upload stays beyond its expiry.
  public var slack = Duration.seconds(300)
  /// The zone of times that are written without one; nothing means that of the machine.
  public var timeZone: ZoneText?
  /// What happens where the folder lies on another device than in the last run.
  public var deviceChange = DeviceChange.refuse

  /// Creates the defaults.
  public init() {}

  /// The declared settings.
  public static let fields: [SettingField<Self>] = [
    SettingField("folder", \.folder, required: true, "The folder that the upload server writes to"),
    SettingField("layout", \.layout, "Whose files they are; auto looks at each sidecar"),
    SettingField(
      "expire_after", \.expireAfter, atLeast: .seconds(1),
      "How long an unfinished upload stays where its sidecar has no expiry of its own"),
    SettingField("expire_from", \.expireFrom, "What expire_after is counted from"),
    SettingField("completed", \.completed, "What becomes of finished uploads"),
    SettingField(
      "completed_after", \.completedAfter, atLeast: .seconds(1),
      "How long a finished upload stays after its last byte, with completed: expire"),
    SettingField("orphan_data", \.orphanData, "What becomes of data named like an upload that has no sidecar"),
    SettingField(
      "orphan_age", \.orphanAge, atLeast: .seconds(1),
      "How long data without a sidecar, or a sidecar without data, stays"),
    SettingField("quiet", \.quiet, "How long nothing must have been written to an upload before it goes"),
    SettingField("slack", \.slack, "How long an upload stays beyond its expiry, since clocks differ"),
    SettingField("time_zone", \.timeZone, "The zone of times that are written without one (the machine's)"),
    SettingField(
      "device_change", \.deviceChange, "What happens where the folder lies on another device than in the last run"),
  ]

  /// `completed: expire` needs an age, and the root of the file system is no upload folder.
  public func problems() -> [(key: String, message: String)] {
    var problems: [(key: String, message: String)] = []
    if completed == .expire, completedAfter == nil {
      problems.append(("completed_after", "write how long finished uploads stay, such as 30d, with completed: expire"))
    }
    if completed == .keep, completedAfter != nil {
      problems.append(("completed_after", "it has no effect without completed: expire"))
    }
    if FolderPath(folder.text).isRoot {
      problems.append(("folder", "expected an upload folder, found the root of the file system"))
    }
    return problems
  }
}
