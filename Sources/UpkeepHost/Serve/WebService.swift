import ServiceLifecycle
import UpkeepConfiguration
import UpkeepCore
import UpkeepHTTP
import UpkeepRuns
import UpkeepRuntime

/// The HTTP API and the dashboard as a service.
struct WebService: Service {
  let parts: SiteParts
  let server: WebServer
  let feed: any RunFeed
  /// Told where it listens, as soon as it does.
  let listening: @Sendable (ListenAddress) async -> Void
  private let address: ListenAddress

  init(
    _ server: Server, _ host: Host, rules: AccessRules, listening: @escaping @Sendable (ListenAddress) async -> Void
  ) {
    address = host.configuration.listen
    feed = server.runs
    self.listening = listening
    parts = SiteParts(
      status: server, commands: server, runs: server.store, pauses: server, configuration: server.live,
      editing: LiveEditor(base: host.editor, reloader: server.reloader), metrics: RunMetrics(),
      wallClock: host.wallClock, clock: host.clock,
      random: SystemRandomSource(), owner: host.inspector.current)
    self.server = WebServer(
      Site(parts, rules: rules), host: address.host, port: address.port, wallClock: host.wallClock, clock: host.clock)
  }

  func run() async throws {
    // Streams of events have no end of their own, so nothing here waits for the end of an answer.
    try await cancelWhenGracefulShutdown {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await parts.work(feed) }
        group.addTask {
          try await server.run { port in
            await listening(ListenAddress(host: address.host, port: port))
          }
        }
        // The one ends only with the other.
        try await group.next()
        group.cancelAll()
      }
    }
  }
}
