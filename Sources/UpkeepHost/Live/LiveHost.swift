import Synchronization
import UpkeepConfiguration
import UpkeepCore
public import UpkeepRuns

/// The host of a process that goes on: its configuration is replaced whole when the file changes, or not at all.
///
/// What runs already keeps the settings it began with; whoever starts something asks for the present ``host`` first.
public actor LiveHost: ConfigurationStatusSource {
  /// Keys that are read once, when the process starts.
  static let fixedKeys: Set<String> = [
    "host.state", "host.listen", "host.token_file", "host.allowed_hosts", "host.allowed_origins", "host.log.format",
    "host.log.level",
  ]

  private let shown: Mutex<(host: Host, status: ConfigurationStatus)>
  private let takeOver: @Sendable (Host) -> Void
  /// What the process started with.
  private let first: HostConfiguration
  /// The file that was last looked at.
  private var seen: String
  private var listeners: [Int: AsyncStream<ReloadOutcome>.Continuation] = [:]
  private var nextListener = 0

  /// Takes over a host that was just loaded.
  ///
  /// - Parameter takeOver: Given each host whose configuration is put in force, in order and before anybody hears of it. It
  ///   can't refuse it, and must return at once.
  public init(_ host: Host, takeOver: @escaping @Sendable (Host) -> Void = { _ in }) {
    self.takeOver = takeOver
    let now = host.wallClock.now()
    first = host.configuration
    seen = host.hash
    let status = ConfigurationStatus(
      path: host.path, hash: host.hash, yaml: host.maskedText, loadedAt: now, triedAt: now)
    shown = Mutex((host, status))
  }

  /// The host with the configuration in force. Whoever asks doesn't wait while another one is checked.
  public nonisolated var host: Host { shown.withLock(\.host) }

  /// The configuration in force.
  public nonisolated func configurationStatus() -> ConfigurationStatus { shown.withLock(\.status) }

  /// What becomes of each load from now on.
  public func reloads() -> AsyncStream<ReloadOutcome> {
    let (stream, send) = AsyncStream.makeStream(of: ReloadOutcome.self)
    let key = nextListener
    nextListener += 1
    listeners[key] = send
    send.onTermination = { [weak self] _ in
      Task { await self?.forget(key) }
    }
    return stream
  }

  private func forget(_ key: Int) {
    listeners[key] = nil
  }

  /// Loads the file, and puts its configuration in force if it is valid.
  ///
  /// - Parameter isAsked: Whether somebody wants to know: a file that was looked at already is told of as well.
  /// - Returns: Nothing where the file is the one that was last looked at, or changed while it was read.
  @discardableResult
  public func reload(isAsked: Bool = false) -> ReloadOutcome? {
    let fingerprint = FileFingerprint(host.path)
    // A large file takes a second to check, and memory for a second configuration.
    if !isAsked, host.loader.hash(ofFile: host.path) == seen { return nil }
    let loaded = host.loader.load(file: host.path)
    guard FileFingerprint(host.path) == fingerprint else { return nil }
    let hash = loaded.hash
    // A file that isn't there has no bytes, as an empty one; what is wrong with it tells them apart.
    let look = loaded.configuration == nil ? hash + (loaded.diagnostics.first?.code ?? "") : hash
    guard look != seen || isAsked else { return nil }
    seen = look
    var status = configurationStatus()
    status.triedAt = host.wallClock.now()
    let outcome: ReloadOutcome
    if let configuration = loaded.configuration {
      outcome = apply(configuration, loaded, status)
    } else {
      let failure = ConfigurationFailure(loaded)
      status.problems = failure.diagnostics.filter { $0.severity == .error }.map { ConfigurationProblem($0) }
      status.lines = failure.lines
      status.refusedYAML = loaded.source.maskedText
      shown.withLock { $0.status = status }
      outcome = .refused(status, hash: hash)
    }
    for send in listeners.values { send.yield(outcome) }
    return outcome
  }

  private func apply(
    _ configuration: HostConfiguration, _ loaded: LoadedConfiguration, _ status: ConfigurationStatus
  ) -> ReloadOutcome {
    var status = status
    status.problems = []
    status.lines = []
    status.refusedYAML = nil
    guard loaded.hash != status.hash else {
      shown.withLock { $0.status = status }
      return .unchanged(status)
    }
    let changes = host.configuration.effective.changes(to: configuration.effective)
    status.restartNeeded = first.effective.changes(to: configuration.effective).filter(isFixed).map(\.key)
    status.hash = loaded.hash
    status.yaml = loaded.source.maskedText
    status.loadedAt = status.triedAt
    var kept = configuration
    kept.keepFixedValues(of: first)
    let host = host.with(kept, loaded)
    takeOver(host)
    shown.withLock { $0 = (host, status) }
    return .applied(status, changes: changes, warnings: host.warnings)
  }

  private func isFixed(_ change: ConfigurationChange) -> Bool {
    if change.task != nil { return false }
    if Self.fixedKeys.contains(change.key) { return true }
    guard case .database(let name) = first.state else { return false }
    return change.key.hasPrefix("databases.\(name).")
  }
}

extension HostConfiguration {
  /// Keeps what is read once, when the process starts.
  fileprivate mutating func keepFixedValues(of first: HostConfiguration) {
    state = first.state
    listen = first.listen
    tokenFile = first.tokenFile
    allowedHosts = first.allowedHosts
    allowedOrigins = first.allowedOrigins
    logFormat = first.logFormat
    logLevel = first.logLevel
    guard case .database(let name) = first.state, let held = first.database(name) else { return }
    guard let index = databases.firstIndex(where: { $0.name == name }) else { return databases.append(held) }
    databases[index] = held
  }
}
