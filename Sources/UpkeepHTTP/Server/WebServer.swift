import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
public import UpkeepCore

/// Serves a ``Site`` over HTTP/1.1 until its task is cancelled.
///
/// What a client may cost is bounded: connections, header fields, a body's size and the time it takes.
public struct WebServer: Sendable {
  /// The largest body.
  static let longestBody = 1 << 20
  /// How long a body may take to come in, and how long a connection may stand without a request or in the middle of its
  /// header fields.
  static let patience = Duration.seconds(15)
  /// How often somebody who listens to events hears that the stream lives.
  static let nudgeInterval = Duration.seconds(15)
  /// The most connections at a time; more wait until one is free.
  static let mostConnections = 512

  private let site: Site
  private let host: String
  private let port: Int
  private let wallClock: any WallClock
  private let clock: any Clock<Duration>
  private let connections: Int

  /// Creates a server.
  ///
  /// - Parameters:
  ///   - site: What it serves.
  ///   - host: The name or address to listen on.
  ///   - port: The port; 0 lets the system choose.
  ///   - wallClock: Tells the time of day.
  ///   - clock: Measures how long a stream of events stands still.
  public init(_ site: Site, host: String, port: Int, wallClock: any WallClock, clock: any Clock<Duration>) {
    self.init(site, host: host, port: port, wallClock: wallClock, clock: clock, connections: Self.mostConnections)
  }

  init(
    _ site: Site, host: String, port: Int, wallClock: any WallClock, clock: any Clock<Duration>, connections: Int
  ) {
    self.connections = connections
    self.site = site
    self.host = host
    self.port = port
    self.wallClock = wallClock
    self.clock = clock
  }

  /// Serves until the task is cancelled.
  ///
  /// - Parameter listening: Told of the port as soon as connections are taken.
  /// - Throws: ``UpkeepCore/TaskError`` where the address can't be listened on.
  public func run(listening: @escaping @Sendable (Int) async -> Void) async throws {
    let connections = Connections()
    let channel: any Channel
    do {
      channel = try await bootstrap(connections).bind(host: host, port: port).get()
    } catch let error as IOError {
      let reason = String(cString: strerror(error.errnoCode))
      throw TaskError(
        code: "cannot_listen", place: "\(host):\(port)", problem: "it can't be listened on: \(reason)",
        fix: "end what listens there, or set another host.listen")
    }
    await withTaskCancellationHandler {
      await listening(channel.localAddress?.port ?? port)
      try? await channel.closeFuture.get()
    } onCancel: {
      channel.close(promise: nil)
    }
    await connections.end()
  }

  private func bootstrap(_ connections: Connections) -> ServerBootstrap {
    let heads = AnswerHeads(wallClock)
    return ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 256)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      // Otherwise several connections beyond the most could be taken at once.
      .serverChannelOption(.maxMessagesPerRead, value: 1)
      .serverChannelInitializer { [most = self.connections] channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ConnectionLimit(most))
        }
      }
      // Who has sent all requests and says so still gets the answers.
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { [site, clock] channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          var limits = NIOHTTPDecoderLimitConfiguration()
          limits.maxHeaderFieldSize = 8 << 10
          limits.maxHeaderListSize = 16 << 10
          limits.maxHeaderFieldCount = 100
          try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: false, withEncoderConfiguration: .init(),
            withDecoderLimitConfiguration: limits)
          try pipeline.addHandler(Connection(site, connections: connections, heads: heads, clock: clock))
        }
      }
  }
}
