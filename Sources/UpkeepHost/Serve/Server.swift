public import Logging
import ServiceLifecycle
import Synchronization
import UpkeepConfiguration
import UpkeepCore
import UpkeepHTTP
public import UpkeepRuns
import UpkeepRuntime

/// `upkeep serve`: the scheduler and what goes with it, in one group of services.
public final class Server: Sendable {
  /// Starts and stops runs, and tells of them.
  public var runs: any RunCommands & RunFeed { scheduler }
  /// Keeps history, leases and pauses.
  public let store: any StateStore
  let scheduler: Scheduler
  let logger: Logger
  let notifier: ServiceNotifier
  /// The configuration in force, and what became of the last change of its file.
  public let live: LiveHost
  let outlines = TaskOutlines()
  private let notices: ServeNotices
  let reloader: ConfigurationReloader
  private let sinceStart: @Sendable () -> Duration
  private let group = Mutex<ServiceGroup?>(nil)

  /// How a server ended.
  public enum End: Sendable, Equatable {
    /// Nothing worked any more.
    case drained
    /// So many runs had to be interrupted.
    case interrupted(Int)
  }

  /// Builds a server; nothing is opened yet.
  ///
  /// - Parameters:
  ///   - host: The configuration to begin with.
  ///   - logger: Gets what happens.
  ///   - notifier: Tells the service manager.
  ///   - sinceStart: How long ago the program began; nothing counts from here.
  /// - Throws: ``UpkeepCore/TaskError`` where the configuration names a database that can't hold the state.
  public init(
    _ host: Host, logger: Logger, notifier: ServiceNotifier, sinceStart: (@Sendable () -> Duration)? = nil
  ) throws {
    self.sinceStart = sinceStart ?? host.clock.stopwatch()
    store = try host.openStore()
    self.logger = logger
    self.notifier = notifier
    let notices = ServeNotices(Host.notices(logger: logger), host.noticePolicy, store)
    let memory = MemoryAtRest(elapsed: host.clock.stopwatch())
    let interval = notifier.watchdog.map { $0 / 3 } ?? Scheduler.lookInterval
    let scheduler = Scheduler(
      store: store, runner: host.runner(store, logger: logger), inspector: host.inspector, wallClock: host.wallClock,
      clock: host.clock, random: SystemRandomSource(), logger: logger, lookInterval: interval,
      observe: { notices.note($0) },
      onTurn: {
        notifier.turned($0)
        memory.turned(working: $0.working)
      })
    live = LiveHost(host) { [store] host in
      scheduler.apply(host.schedulerPlan, runner: host.runner(store, logger: logger))
      notices.follow(host.noticePolicy)
    }
    reloader = ConfigurationReloader(
      live: live, path: host.path, clock: host.clock, logger: logger, willReload: { notifier.reloading() },
      didReload: {
        notifier.reloaded($0)
        if case .applied = $0 { Host.giveBackMemory() }
      })
    self.scheduler = scheduler
    self.notices = notices
  }

  /// Has the configuration loaded now, whether its file changed or not.
  public func reload() {
    reloader.requestReload()
  }

  /// Serves until ``stop(because:)``, and until no run works any more.
  ///
  /// - Throws: ``ServeRefusal`` where another process serves on this state store; ``UpkeepCore/TaskError`` where the
  ///   store can't be opened.
  public func run() async throws -> End {
    let host = live.host
    let rules = try host.accessRules()
    let holder = ServeHolder(
      owner: host.inspector.current, address: host.listenAddress, since: host.wallClock.now())
    if let other = try await store.claimServe(holder) { throw ServeRefusal(holder: other, place: host.statePlace) }
    do {
      let end = try await serve(host, rules, holder)
      await notices.settle()
      try await store.releaseServe(holder.owner)
      return end
    } catch {
      // What went wrong is told; the place of a process that is gone counts as free.
      _ = try? await store.releaseServe(holder.owner)
      throw error
    }
  }

  private func serve(_ host: Host, _ rules: AccessRules, _ holder: ServeHolder) async throws -> End {
    let outcome = Mutex(0)
    // No run starts before the API can be asked of it: an address that is taken ends serve first.
    let (listening, listens) = AsyncStream.makeStream(of: Void.self)
    let scheduling = SchedulingService(server: self, plan: host.schedulerPlan, start: listening) { count in
      outcome.withLock { $0 = count }
    }
    let web = WebService(self, host, rules: rules) { [self] address in
      await serving(at: address.text, host, holder)
      listens.yield()
    }
    // The group stops its services from the last to the first: the API answers, and the others go on, until the last run has ended.
    let services =
      ([web] + services(host)).map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) } + [
        ServiceGroupConfiguration.ServiceConfiguration(
          service: scheduling, successTerminationBehavior: .gracefullyShutdownGroup)
      ]
    var quiet = logger
    quiet.logLevel = .error
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: quiet))
    self.group.withLock { $0 = group }
    try await group.run()
    let interrupted = outcome.withLock { $0 }
    return interrupted == 0 ? .drained : .interrupted(interrupted)
  }

  /// Says where it serves: the system may have chosen the port.
  private func serving(at address: String, _ host: Host, _ holder: ServeHolder) async {
    var holder = holder
    holder.address = address
    do {
      _ = try await store.claimServe(holder)
    } catch {
      logger.warning("the address \(address) isn't recorded: \(error)")
    }
    logger.notice(
      "serving",
      metadata: [
        "address": "\(address)", "config": "\(host.path)", "tasks": "\(host.configuration.tasks.count)",
        "pid": "\(host.inspector.current.pid)", "version": "\(Upkeep.version)",
        "startup_ms": "\(sinceStart().milliseconds)",
      ])
  }

  /// What runs beside the scheduler and the API.
  private func services(_ host: Host) -> [any Service] {
    [ReloadService(reloader: reloader), HistoryService(live: live, store: store, clock: host.clock)]
  }

  /// Lets nothing begin any more, and ends when nothing works any more, after the drain timeout at the latest.
  public func stop(because reason: String) async {
    logger.notice("stopping", metadata: ["because": "\(reason)"])
    let drainTimeout = live.host.configuration.drainTimeout
    notifier.stopping(atMost: drainTimeout + Runner.grace)
    await group.withLock { $0 }?.triggerGracefulShutdown()
  }

  /// Stops the runs that still work, now.
  public func interruptAll(_ reason: String) {
    logger.warning("interrupting what works", metadata: ["because": "\(reason)"])
    scheduler.interruptAll(reason)
  }
}

/// Another process serves on the same state store.
public struct ServeRefusal: Error, Sendable {
  /// Who.
  public var holder: ServeHolder
  /// Where the state store is.
  public var place: String

  /// What to tell people.
  public var message: String {
    "another upkeep serve works on \(place): pid \(holder.owner.pid) on \(holder.owner.host), listening on "
      + "\(holder.address), since \(holder.since.rfc3339); stop it, or give this one a state store of its own (host.state)"
  }
}

/// The watch over the configuration's file as a service.
private struct ReloadService: Service {
  let reloader: ConfigurationReloader

  func run() async throws {
    await cancelWhenGracefulShutdown { await reloader.run() }
  }
}

/// Removes old records of the history while nobody asks for it.
private struct HistoryService: Service {
  /// How often it looks whether that is due.
  static let interval = Duration.seconds(900)

  let live: LiveHost
  let store: any StateStore
  let clock: any Clock<Duration>

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while (try? await clock.sleep(for: Self.interval)) != nil { await live.host.housekeep(store) }
    }
  }
}

/// The scheduler as a service.
private struct SchedulingService: Service {
  let server: Server
  let plan: SchedulerPlan
  let start: AsyncStream<Void>
  let ended: @Sendable (Int) -> Void

  func run() async throws {
    let scheduler = server.scheduler
    for await _ in start.cancelOnGracefulShutdown() {
      try await run(scheduler)
      return
    }
  }

  private func run(_ scheduler: Scheduler) async throws {
    let interrupted = try await withGracefulShutdownHandler {
      try await scheduler.run(plan)
    } onGracefulShutdown: {
      scheduler.stop()
    }
    ended(interrupted)
  }
}
