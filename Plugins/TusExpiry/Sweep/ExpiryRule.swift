import Foundation
import UpkeepCore
import UpkeepSchedule

/// An upload as it was found.
struct FoundUpload {
  var sidecar: Sidecar
  /// The sidecar's file.
  var sidecarStamp: FileStamp
  /// The data's file; nothing where there is none.
  var data: FileStamp?

  /// Whether all data has come. Where the sidecar and the file disagree, as after a crash, the one that says so is
  /// believed.
  var isComplete: Bool {
    guard let size = sidecar.size else { return false }
    return (sidecar.offset ?? -1) >= size || (data?.size ?? -1) >= size
  }
}

/// What is to become of an upload.
enum Verdict: Equatable {
  /// It goes, unless somebody is at it.
  case goes
  /// Its data is gone; what is left of it goes.
  case orphan
  /// It goes unless an unfinished upload is to be made of it.
  case goesUnlessListed
  case complete
  case unexpired
  /// It would go, but something was written to it lately.
  case active
}

/// Decides what becomes of uploads: a value, which looks at no file and no clock.
struct ExpiryRule {
  let settings: TusExpirySettings
  /// The instant that everything is compared with.
  let now: Timestamp
  private var clock: LocalClock

  init(_ settings: TusExpirySettings, now: Timestamp) {
    self.settings = settings
    self.now = now
    clock = LocalClock(settings.timeZone.flatMap { ZoneName.zone($0.name) } ?? TimeZone.current)
  }

  /// What becomes of an upload.
  mutating func verdict(on upload: FoundUpload) -> Verdict {
    guard let data = upload.data else {
      let orphan = isOver(upload.sidecarStamp.modified + settings.orphanAge)
      return !orphan ? .unexpired : isQuiet(upload.sidecarStamp) ? .orphan : .active
    }
    let isPartial = upload.isComplete && upload.sidecar.isPartial
    if upload.isComplete, !isPartial {
      guard settings.completed == .expire, let age = settings.completedAfter else { return .complete }
      guard isOver(data.modified + age) else { return .complete }
    } else {
      guard isOver(expiry(of: upload, data)) else { return .unexpired }
    }
    guard isQuiet(data) else { return .active }
    return isPartial ? .goesUnlessListed : .goes
  }

  /// Whether data without a sidecar is old enough to go.
  func isOldOrphan(_ data: FileStamp) -> Bool {
    isOver(data.modified + settings.orphanAge) && isQuiet(data)
  }

  /// Whether nothing was written lately; a time in the future is lately.
  func isQuiet(_ data: FileStamp) -> Bool {
    data.modified < now - settings.quiet
  }

  /// Whether a time that the sidecar gives can't be read, so that those of the files have to do.
  func hasUnreadableDate(_ sidecar: Sidecar) -> Bool {
    sidecar.expires == .unreadable || (sidecar.expires == .none && sidecar.created == .unreadable)
  }

  /// When an upload was created, as far as anybody knows.
  mutating func creation(of upload: FoundUpload) -> Timestamp {
    instant(upload.sidecar.created) ?? upload.sidecarStamp.modified
  }

  /// When an unfinished upload expires.
  private mutating func expiry(of upload: FoundUpload, _ data: FileStamp) -> Timestamp {
    let activity = data.modified + settings.expireAfter
    if hasUnreadableDate(upload.sidecar) { return max(activity, upload.sidecarStamp.modified + settings.expireAfter) }
    let own = instant(upload.sidecar.expires)
    switch settings.expireFrom {
    case .creation: return own ?? creation(of: upload) + settings.expireAfter
    case .activity: return max(activity, own ?? activity)
    }
  }

  private mutating func instant(_ date: SidecarDate) -> Timestamp? {
    switch date {
    case .none, .unreadable: return nil
    case .instant(let instant): return instant
    case .local(let microseconds):
      let local = Timestamp(microseconds: microseconds)
      let seconds = clock.lastInstant(showing: Int(local.seconds))
      return Timestamp(microseconds: (Int64(seconds) - local.seconds) * 1_000_000 + microseconds)
    }
  }

  private func isOver(_ end: Timestamp) -> Bool {
    end + settings.slack < now
  }
}
