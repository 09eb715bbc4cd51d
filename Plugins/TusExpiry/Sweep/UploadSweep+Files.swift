import Glibc
import UpkeepCore

extension UploadSweep {
  /// Deals with a file that has the name of a sidecar.
  func handleSidecar(_ name: EntryName, _ suffix: (text: StaticString, layouts: [TusLayout])) throws {
    let folder = walk.folder
    let stem = name.dropping(suffix.text)
    guard stem.count > 0 else { return foreignSidecar(name, "it is no sidecar of anything") }
    switch reader.read(name, in: folder) {
    case .missing: return
    case .foreign(let reason): foreignSidecar(name, reason)
    case .unreadable(let reason): unreadable(name, reason)
    case .bytes(let bytes, let stamp):
      switch Sidecar.read(bytes, stem: stem, layouts: suffix.layouts) {
      case .foreign(let reason): foreignSidecar(name, reason)
      case .unreadable(let reason): unreadable(name, reason)
      case .upload(let sidecar):
        let data: FileStamp?
        do throws(SystemError) {
          data = try folder.stamp(of: stem)
        } catch {
          return unreadable(name, "its data can't be looked at: \(error.text)")
        }
        guard data?.isRegular ?? true else { return foreignSidecar(name, "its data is no regular file", warns: true) }
        // Data may have the name of a sidecar, too: then there is a sidecar of its own.
        if !stem.isIdentifier, folder.has(name.appending(suffix.text)) { return }
        try handle(FoundUpload(sidecar: sidecar, sidecarStamp: stamp, data: data), name, stem)
      }
    }
  }

  private func handle(_ upload: FoundUpload, _ name: EntryName, _ stem: EntryName) throws {
    let created = rule.creation(of: upload)
    let verdict = rule.verdict(on: upload)
    if pass == .everything {
      report.see(upload.sidecar.layout, created: created)
      if rule.hasUnreadableDate(upload.sidecar), upload.data != nil, verdict != .complete {
        report.odd(walk.path(of: name), "its date can't be read; the time of its last change has to do", warns: true)
      }
      if let parts = upload.sidecar.parts, !upload.isComplete { partials.list(parts) }
    } else if verdict != .goesUnlessListed {
      return
    }
    switch verdict {
    case .complete: report.count { $0.keptComplete += 1 }
    case .unexpired: report.count { $0.keptUnexpired += 1 }
    case .active: report.count { $0.keptActive += 1 }
    case .goesUnlessListed where pass == .everything: partials.isNeeded = true
    case .goesUnlessListed where partials.contains(stem): report.count { $0.keptComplete += 1 }
    case .goes, .orphan, .goesUnlessListed:
      if removes {
        try checkLimits()
        try remove(upload, name, stem, created: created)
      } else if locks.isBusy(upload.sidecar.layout, stem, in: walk.folder) {
        report.count { $0.keptActive += 1 }
      } else {
        countRemoved(upload, created: created)
      }
    }
  }

  /// Counts an upload as removed.
  func countRemoved(_ upload: FoundUpload, created: Timestamp) {
    report.count { counts in
      if let data = upload.data {
        counts.uploadsRemoved += 1
        counts.bytesFreed += data.freedBytes
      } else {
        counts.orphansRemoved += 1
      }
      counts.bytesFreed += upload.sidecarStamp.freedBytes
    }
    report.remove(created: created)
  }

  /// Deals with a file that may be data.
  func handleData(_ name: EntryName) throws {
    let folder = walk.folder
    for suffix in suffixes where folder.has(name.appending(suffix.text)) { return }
    if walk.isAtRoot, LockToken.isToken(name) {
      if removes { LockToken.removeLeftover(name, in: folder) }
      return
    }
    if hasTusd, isLock(name, ".lock") || isLock(name, ".stop") { return }
    guard let found = try? folder.stamp(of: name) else { return }
    guard settings.orphanData == .purge, found.isRegular, name.isIdentifier, rule.isOldOrphan(found),
      !isLocked(name)
    else { return foreign(name, name.isIdentifier ? "it has no sidecar" : "it is no part of an upload") }
    try checkLimits()
    if removes {
      do throws(SystemError) {
        guard try folder.stamp(of: name) == found, try folder.unlink(name) else {
          return foreign(name, "it has changed")
        }
      } catch {
        return try cannotRemove(name, error)
      }
    }
    report.count {
      $0.seen += 1
      $0.orphansRemoved += 1
      $0.bytesFreed += found.freedBytes
    }
    report.remove(created: found.modified)
  }

  /// Whether a name is that of a lock of an upload that is there.
  private func isLock(_ name: EntryName, _ suffix: StaticString) -> Bool {
    name.hasSuffix(suffix) && walk.folder.has(name.dropping(suffix).appending(".info"))
  }

  private func isLocked(_ name: EntryName) -> Bool {
    [.tuspyserver, .tusd].contains { locks.isBusy($0, name, in: walk.folder) }
  }

  private func foreignSidecar(_ name: EntryName, _ reason: String, warns: Bool = false) {
    if pass == .everything { foreign(name, reason, warns: warns) }
  }

  func unreadable(_ name: EntryName, _ reason: String) {
    guard pass == .everything else { return }
    report.count { $0.unreadable += 1 }
    report.odd(walk.path(of: name), reason, warns: true)
  }
}
