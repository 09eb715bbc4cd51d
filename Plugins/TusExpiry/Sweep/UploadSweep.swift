import UpkeepCore

/// Goes through an upload folder once and removes what has expired, or counts it.
///
/// It holds one name at a time, whatever the size of the folder.
final class UploadSweep {
  /// After how many files the run looks up: at its clock, and whether it is to stop.
  static let stride = 64

  /// A moment at which tests change something.
  enum Moment {
    case foundFolder(String)
    case tookLock(String)
    case removedData(String)
    case removedSidecar(String)
  }

  /// What the sweep is at.
  enum Pass {
    case everything
    /// Only parts whose fate hung on what the first pass saw.
    case parts
  }

  let context: TaskContext
  let root: UploadRoot
  let settings: TusExpirySettings
  /// What sidecars are called, each with those who call them so.
  let suffixes: [(text: StaticString, layouts: [TusLayout])]
  let hasTusd: Bool
  let locks: UploadLocks
  let reader = SidecarReader()
  let removes: Bool
  var rule: ExpiryRule
  var report = SweepReport()
  var partials = PartialUploads()
  var pass = Pass.everything
  var walk: FolderWalk
  var interrupt: ((Moment) throws -> Void)?
  private var sinceLook = 0
  private let elapsed: @Sendable () -> Duration

  init(_ root: UploadRoot, settings: TusExpirySettings, in context: TaskContext) {
    self.context = context
    self.root = root
    self.settings = settings
    let layouts = TusLayout.allowed(by: settings.layout)
    suffixes = [(".info", layouts.filter { $0 != .node }), (".json", layouts.filter { $0 == .node })]
      .filter { !$0.layouts.isEmpty }
    hasTusd = layouts.contains(.tusd)
    rule = ExpiryRule(settings, now: context.now)
    locks = UploadLocks(root: root.folder, rule: rule)
    removes = context.mode == .run
    walk = FolderWalk(root.folder)
    elapsed = context.clock.stopwatch()
  }

  /// Does all of it. What was counted is told also where it ends early.
  func run() async throws {
    report.tell(context)
    do {
      try await walkAll()
      if partials.isNeeded {
        pass = .parts
        walk = FolderWalk(try reopened())
        try await walkAll()
      }
    } catch let stop as LimitReached {
      report.finish(context)
      context.stop(for: stop.reason)
      return
    } catch {
      report.finish(context)
      throw error
    }
    report.finish(context)
    context.report(1, report.counts.seen == 0 ? "No uploads" : "Done")
  }

  private func walkAll() async throws {
    while true {
      switch walk.next() {
      case .entry(let entry):
        sinceLook += 1
        if sinceLook >= Self.stride { try await look() }
        try handle(entry)
      case .unreadable(let error):
        report.count { $0.unreadable += 1 }
        report.odd(walk.path(of: EntryName(".")), "the folder can't be read: \(error.text)", warns: true)
        guard walk.leave() else { return }
      case .end:
        guard walk.leave() else { return }
      }
    }
  }

  private func handle(_ entry: DirectoryHandle.Entry) throws {
    switch entry.kind {
    case .folder:
      try enter(entry.name)
    case .file:
      if let suffix = suffixes.first(where: { entry.name.hasSuffix($0.text) }) {
        try handleSidecar(entry.name, suffix)
      } else if pass == .everything {
        try handleData(entry.name)
      }
    case .link:
      if pass == .everything { foreign(entry.name, "it is a symbolic link") }
    case .other:
      if pass == .everything { foreign(entry.name, "it is no regular file") }
    }
  }

  private func enter(_ name: EntryName) throws {
    // The locks of tuspyserver; and what a file system has at the top of each disk.
    if name == UploadLocks.folderName || (walk.isAtRoot && name == EntryName("lost+found")) { return }
    try interrupt?(.foundFolder(walk.path(of: name)))
    let path = walk.path(of: name)
    let descent = walk.enter(name)
    guard pass == .everything else { return }
    switch descent {
    case .entered: break
    case .changed:
      report.odd(path, "it is no folder any more; left alone", warns: true)
    case .otherMount:
      report.count { $0.foreign += 1 }
      report.odd(path, "something else is mounted there; left alone", warns: true)
    case .tooDeep:
      report.count { $0.foreign += 1 }
      report.odd(path, "folders lie more than \(FolderWalk.deepest) deep; left alone", warns: true)
    case .unreadable(let error):
      report.count { $0.unreadable += 1 }
      report.odd(path, "the folder can't be opened: \(error.text)", warns: true)
    }
  }

  /// Counts a file that is no part of an upload.
  func foreign(_ name: EntryName, _ reason: String, warns: Bool = false) {
    report.count { $0.foreign += 1 }
    report.odd(walk.path(of: name), reason, warns: warns)
  }

  /// Looks up now and then: tells how far it is, lets others work, and stops where it is asked to.
  private func look() async throws {
    sinceLook = 0
    try Task.checkCancellation()
    report.tell(context)
    locks.rotate(after: elapsed())
    await Task.yield()
    try Task.checkCancellation()
  }

  /// Ends the sweep before something is removed, where the run's limits are used up.
  func checkLimits() throws {
    guard removes, context.limits != RunLimits() else { return }
    report.tell(context)
    if let reason = context.limitReached() { throw LimitReached(reason: reason) }
  }

  private func reopened() throws -> DirectoryHandle {
    do {
      return try root.folder.openFolder(EntryName("."))
    } catch {
      throw TaskError(
        code: "unreadable_folder", place: "folder \(root.path)", problem: "it can't be read again: \(error.text)",
        fix: "let the user of this program read and write it")
    }
  }
}

/// The run's limits are used up.
struct LimitReached: Error {
  var reason: StopReason
}
