import Glibc
import UpkeepCore

extension UploadSweep {
  /// Removes an upload, unless a last look under its lock finds that somebody is at it.
  ///
  /// The data goes first, then the sidecar, then the lock: what a crash leaves between them is a sidecar without data,
  /// which the next run knows what to do with.
  func remove(_ upload: FoundUpload, _ name: EntryName, _ stem: EntryName, created: Timestamp) throws {
    let folder = walk.folder
    var held: HeldLock?
    switch locks.take(upload.sidecar.layout, stem, in: folder) {
    case .neverLocked: break
    case .held(let taken): held = taken
    case .busy: return report.count { $0.keptActive += 1 }
    case .failed(let error):
      report.count { $0.keptActive += 1 }
      return report.odd(walk.path(of: name), "its lock can't be taken: \(error.text)", warns: true)
    }
    try interrupt?(.tookLock(walk.path(of: stem)))
    var hasGone = false
    defer { held?.release(removes: hasGone) }
    guard let upload = lastLook(upload, name, stem, held) else { return report.count { $0.keptActive += 1 } }
    do {
      if upload.data != nil {
        guard try folder.unlink(stem) else { return report.count { $0.keptActive += 1 } }
        try interrupt?(.removedData(walk.path(of: stem)))
      }
      try folder.unlink(name)
      try interrupt?(.removedSidecar(walk.path(of: name)))
    } catch let error as SystemError {
      return try cannotRemove(name, error)
    }
    hasGone = true
    countRemoved(upload, created: created)
  }

  /// The upload as it is now that its lock is held; nothing where it isn't to go any more.
  private func lastLook(_ upload: FoundUpload, _ name: EntryName, _ stem: EntryName, _ held: HeldLock?) -> FoundUpload?
  {
    // Where no server has ever taken a lock the look that has just been taken is the last one.
    guard let held else { return upload }
    // The sidecar may have been written again since the first look.
    guard case .bytes(let bytes, let stamp) = reader.read(name, in: walk.folder),
      case .upload(let sidecar) = Sidecar.read(bytes, stem: stem, layouts: [upload.sidecar.layout])
    else { return nil }
    let upload = FoundUpload(sidecar: sidecar, sidecarStamp: stamp, data: upload.data)
    guard let data = try? walk.folder.stamp(of: stem) == upload.data, data, held.isStillThere else { return nil }
    switch rule.verdict(on: upload) {
    case .goes, .orphan, .goesUnlessListed: return upload
    case .complete, .unexpired, .active: return nil
    }
  }

  /// A file that can't be removed is odd and stays; a folder that can't be written to ends the run.
  func cannotRemove(_ name: EntryName, _ error: SystemError) throws {
    guard walk.isAtRoot, error.code == EACCES || error.code == EROFS else {
      report.count { $0.unreadable += 1 }
      return report.odd(walk.path(of: name), "it can't be removed: \(error.text)", warns: true)
    }
    throw TaskError(
      code: "unwritable_folder", place: "folder \(root.path)", problem: "nothing can be removed in it: \(error.text)",
      fix: "let the user of this program write to it")
  }
}
