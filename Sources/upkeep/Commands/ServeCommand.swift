import ArgumentParser
import UpkeepCore
import UpkeepHost

struct ServeCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Run tasks when their schedule says so.",
    discussion: """
      It logs to standard error, and reads a changed configuration again by \
      itself or on SIGHUP. SIGTERM and Control-C let running tasks end, for \
      host.drain_timeout at the most; a second signal stops them at once.

      EXAMPLES:
        upkeep serve
        upkeep serve --config /etc/upkeep/upkeep.yaml

      EXIT STATUS:
        0 ended after a signal, with every run at its end
        1 a run had to be interrupted, or serve failed
        4 configuration invalid
        5 another serve works on the same state store
      """)

  @OptionGroup var options: GlobalOptions

  func execute(_ console: Console) async throws -> ExitStatus {
    let sinceStart = Host.systemClock.stopwatch()
    let host = try loadHost()
    let server = try Server(host, logger: host.serveLogger(), notifier: ServiceNotifier(), sinceStart: sinceStart)
    let signals = ServeSignals(server, clock: host.clock)
    signals.begin()
    do {
      return try await server.run() == .drained ? .done : .failed
    } catch let refusal as ServeRefusal {
      throw CommandFailure(.skipped, code: "already_serving", refusal.message)
    }
  }
}
