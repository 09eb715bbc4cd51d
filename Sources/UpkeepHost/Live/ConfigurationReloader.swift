public import Logging
import UpkeepCore
public import UpkeepRuns

/// Watches the YAML file and has it loaded again when it changes: within two seconds, once its writer is done.
///
/// It hears of changes from the kernel, and looks by itself now and then for file systems that tell nothing. An editor
/// that writes the file in place is waited for; a file that changes while it is read is read again.
public struct ConfigurationReloader: Sendable {
  /// How often it looks by itself: so that a change is in force within two seconds, with the time that it must be left
  /// alone.
  static let lookInterval = Duration.milliseconds(1600)
  /// How long the file must be left alone before it is read.
  static let quiet = Duration.milliseconds(100)
  /// How long it waits for that.
  static let patience = Duration.seconds(1)
  /// How long it waits for a writer that keeps the file open.
  static let patienceWithWriter = Duration.seconds(10)

  private let live: LiveHost
  private let path: String
  private let clock: any Clock<Duration>
  private let logger: Logger
  private let watch: FolderWatch
  private let willReload: @Sendable () -> Void
  private let didReload: @Sendable (ReloadOutcome?) -> Void

  /// Creates a reloader.
  ///
  /// - Parameters:
  ///   - live: What loads the file.
  ///   - path: The file.
  ///   - clock: Sleeps.
  ///   - logger: Is told of every load.
  ///   - willReload: Told before each load but the one at the beginning.
  ///   - didReload: Told what became of it; nothing where the file is the one that was last looked at.
  public init(
    live: LiveHost, path: String, clock: any Clock<Duration>, logger: Logger,
    willReload: @escaping @Sendable () -> Void = {}, didReload: @escaping @Sendable (ReloadOutcome?) -> Void = { _ in }
  ) {
    self.init(
      live: live, path: path, clock: clock, logger: logger, hears: true, willReload: willReload, didReload: didReload)
  }

  init(
    live: LiveHost, path: String, clock: any Clock<Duration>, logger: Logger, hears: Bool,
    willReload: @escaping @Sendable () -> Void = {}, didReload: @escaping @Sendable (ReloadOutcome?) -> Void = { _ in }
  ) {
    self.live = live
    self.path = path
    self.clock = clock
    self.logger = logger
    self.willReload = willReload
    self.didReload = didReload
    watch = FolderWatch(hears: hears)
  }

  /// Has the file loaded now, whether it changed or not: for SIGHUP.
  public func requestReload() {
    watch.ask()
  }

  /// Loads the file if it is another one than before, and returns when that is done: for who has just changed it.
  func reloadNow() async {
    willReload()
    _ = await reload(isAsked: false, wasRefused: false)
  }

  /// Watches until its task is cancelled.
  public func run() async {
    let ticks = Task { [watch, clock] in
      while (try? await clock.sleep(for: Self.lookInterval)) != nil { watch.wake() }
    }
    defer { ticks.cancel() }
    watch.watch(WatchedPlaces(of: path))
    // The file may have changed between its first load and here.
    var fingerprint: FileFingerprint?
    var (isFirst, isRefused) = (true, false)
    watch.wake()
    for await _ in watch.wakeups {
      if Task.isCancelled { return }
      let news = watch.takeNews()
      watch.watch(WatchedPlaces(of: path))
      guard isFirst || news.isAsked || news.hasChange || FileFingerprint(path) != fingerprint else { continue }
      fingerprint = await settle()
      // The first look finds what was just loaded, mostly: nobody needs to know of it.
      if news.isAsked || !isFirst { willReload() }
      isFirst = false
      isRefused = await reload(isAsked: news.isAsked, wasRefused: isRefused)
      // Changed while it was read: what was read may be half of it, but the next look comes at once.
      if FileFingerprint(path) != fingerprint { watch.wake() }
    }
  }

  /// Waits until the file has been left alone for a while.
  private func settle() async -> FileFingerprint? {
    let waited = clock.stopwatch()
    var fingerprint = FileFingerprint(path)
    while (try? await clock.sleep(for: Self.quiet)) != nil {
      let news = watch.takeNews()
      if news.isAsked { watch.ask() }
      let present = FileFingerprint(path)
      let isStill = present == fingerprint && !news.hasChange && !news.isBeingWritten
      fingerprint = present
      if isStill || waited() >= (news.isBeingWritten ? Self.patienceWithWriter : Self.patience) { break }
    }
    return fingerprint
  }

  /// - Returns: Whether the file was refused.
  private func reload(isAsked: Bool, wasRefused: Bool) async -> Bool {
    let outcome = await live.reload(isAsked: isAsked)
    defer { didReload(outcome) }
    guard let outcome else { return wasRefused }
    let file: Logger.Metadata = ["file": "\(path)"]
    switch outcome {
    case .unchanged where wasRefused:
      logger.notice("the configuration is valid again, and as it was", metadata: file)
    case .unchanged:
      logger.info("the configuration is unchanged", metadata: file)
    case .refused(let status, _):
      logger.error("the configuration isn't valid; the last good one stays in force", metadata: file)
      // The excerpt of the file below each is for a terminal: a line of a log is one line.
      for line in status.lines { logger.error("\(line.prefix { $0 != "\n" })", metadata: file) }
      return true
    case .applied(let status, let changes, let warnings):
      let news =
        changes.isEmpty ? "the file has changed, and means the same" : "another configuration is in force"
      logger.notice("\(news)", metadata: file.merging(["changes": "\(changes.count)"]) { $1 })
      for change in changes {
        logger.notice(
          "changed: \(change.text)",
          metadata: [
            "task": "\(change.task ?? "")", "key": "\(change.key)", "old": "\(change.old.text)",
            "new": "\(change.new.text)",
          ])
      }
      for line in warnings { logger.warning("\(line)", metadata: file) }
      if !status.restartNeeded.isEmpty {
        logger.warning("these keys need a restart: \(status.restartNeeded.joined(separator: ", "))", metadata: file)
      }
    }
    return false
  }
}
