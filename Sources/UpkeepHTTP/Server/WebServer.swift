import Foundation
import HTTPTypes
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
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
  private let logger: Logger
  private let end = ServerEnd()

  /// Creates a server.
  ///
  /// - Parameters:
  ///   - site: What it serves.
  ///   - host: The name or address to listen on.
  ///   - port: The port; 0 lets the system choose.
  ///   - wallClock: Tells the time of day.
  ///   - clock: Measures how long a body takes.
  ///   - logger: Gets what goes wrong with connections.
  public init(
    _ site: Site, host: String, port: Int, wallClock: any WallClock, clock: any Clock<Duration>, logger: Logger
  ) {
    self.site = site
    self.host = host
    self.port = port
    self.wallClock = wallClock
    self.clock = clock
    self.logger = QuietAtTheEnd.logger(logger, end)
  }

  /// Serves until the task is cancelled.
  ///
  /// - Parameter listening: Told of the port as soon as connections are taken.
  /// - Throws: ``UpkeepCore/TaskError`` where the address can't be listened on.
  public func run(listening: @escaping @Sendable (Int) async -> Void) async throws {
    let configuration = HTTP1Channel.Configuration(
      idleTimeout: .init(Self.patience),
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: 8 << 10, maxHeaderListSize: 16 << 10, maxHeaderFieldCount: 100))
    let dates = HTTPDates(wallClock)
    let builder = HTTPServerBuilder { LoopChannel(base: HTTP1Channel(responder: $0, configuration: configuration)) }
    let server = try builder.buildServer(
      configuration: ServerConfiguration(
        address: .hostname(host, port: port),
        availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections, logger: logger)),
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger
    ) { request, writer, channel in
      let (response, isLast) = await respond(to: request)
      let head = Self.head(response, date: dates.now(), isLast: isLast)
      if let events = response.events {
        try await send(events, head, writer, channel)
        throw ConnectionIsOver()
      }
      // Who doesn't read the answer is cut off.
      let deadline = channel.eventLoop.scheduleTask(in: .init(Self.patience)) { channel.close(promise: nil) }
      defer { deadline.cancel() }
      try await writer.write(
        response: head,
        body: response.body.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: response.body)))
      // What is left of the request isn't worth reading.
      if isLast { throw ConnectionIsOver() }
    } onServerRunning: { channel in
      await listening(channel.localAddress?.port ?? port)
    }
    do {
      try await withTaskCancellationHandler {
        try await server.run()
      } onCancel: { [end] in
        end.begin()
      }
    } catch let error as IOError {
      let reason = String(cString: strerror(error.errnoCode))
      throw TaskError(
        code: "cannot_listen", place: "\(host):\(port)", problem: "it can't be listened on: \(reason)",
        fix: "end what listens there, or set another host.listen")
    }
  }

  private struct ConnectionIsOver: Error {}

  /// Sends events until there are no more, or until nobody reads them.
  private func send(
    _ events: EventListener, _ head: HTTPResponse, _ writer: consuming ResponseWriter, _ channel: any Channel
  ) async throws {
    // What a listener didn't read stands in the way of everything else on its connection, the end included.
    events.whenDropped { channel.close(promise: nil) }
    channel.closeFuture.whenComplete { _ in events.end() }
    async let _: Void = nudge(events)
    do {
      try await writer.write(
        response: head,
        body: ResponseBody { body in
          for await chunk in events.chunks { try await body.write(ByteBuffer(bytes: chunk)) }
          try await body.finish(nil)
        })
    } catch {
      events.end()
      throw error
    }
    events.end()
  }

  private func nudge(_ events: EventListener) async {
    while (try? await clock.sleep(for: Self.nudgeInterval)) != nil { events.nudge() }
  }

  /// The answer, and whether the connection ends with it.
  private func respond(to request: Request) async -> (WebResponse, isLast: Bool) {
    let body: [UInt8]
    do {
      body = try await read(request)
    } catch {
      return (Problem(error).response, true)
    }
    guard
      let webRequest = WebRequest(
        request.method.rawValue, request.head.path ?? "", headers: Self.headers(request), body: body)
    else { return (Problem(400, "bad_target", "the request's target isn't a path").response, false) }
    return (await site.respond(to: webRequest), false)
  }

  /// The fields that the routes look at.
  private static func headers(_ request: Request) -> [String: String] {
    var headers: [String: String] = [:]
    for field in request.headers { headers[field.name.canonicalName] = field.value }
    headers["host"] = request.head.authority
    return headers
  }

  private func read(_ request: Request) async throws -> [UInt8] {
    let length = request.headers[.contentLength].flatMap { Int($0) }
    guard length ?? 0 > 0 || request.headers[.transferEncoding] != nil else { return [] }
    let tooLong = Problem(413, "body_too_long", "a body may have at most \(Self.longestBody) bytes")
    if let length, length > Self.longestBody { throw tooLong }
    let (body, clock) = (request.body, clock)
    return try await withThrowingTaskGroup(of: [UInt8].self) { group in
      group.addTask {
        do {
          let buffer = try await body.collect(upTo: Self.longestBody)
          return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
          throw tooLong
        }
      }
      group.addTask {
        try await clock.sleep(for: Self.patience)
        throw Problem(408, "body_too_slow", "the body didn't come within \(Self.patience.durationText)")
      }
      defer { group.cancelAll() }
      return try await group.next() ?? []
    }
  }

  private static func head(_ response: WebResponse, date: String, isLast: Bool) -> HTTPResponse {
    var fields = standardFields
    for (name, value) in response.headers {
      guard let name = HTTPField.Name(name) else { continue }
      fields[name] = value
    }
    fields[.date] = date
    // A 204 has no body, and must not speak of its length.
    if response.status != 204, response.events == nil { fields[.contentLength] = "\(response.body.count)" }
    if isLast { fields[.connection] = "close" }
    return HTTPResponse(status: HTTPResponse.Status(code: response.status), headerFields: fields)
  }

  /// What every answer says: nothing from elsewhere, nothing inline, in no frame, not kept, and what it is.
  private static let standardFields: HTTPFields = {
    var fields = HTTPFields()
    fields[.contentSecurityPolicy] =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
      + "base-uri 'none'; frame-ancestors 'none'"
    fields[.xContentTypeOptions] = "nosniff"
    fields[.cacheControl] = "no-store"
    if let name = HTTPField.Name("Referrer-Policy") { fields[name] = "no-referrer" }
    if let name = HTTPField.Name("Cross-Origin-Resource-Policy") { fields[name] = "same-origin" }
    return fields
  }()
}

/// Whether a server was told to end.
private final class ServerEnd: Sendable {
  private let state = Mutex(false)

  var hasBegun: Bool { state.withLock { $0 } }

  func begin() { state.withLock { $0 = true } }
}

/// Tells what its server says once it was told to end only to those who look for faults: that its sockets are closed
/// and its tasks cancelled then, which it takes for errors, is what was asked for.
private struct QuietAtTheEnd: LogHandler {
  private var base: any LogHandler
  private let end: ServerEnd

  private init(base: any LogHandler, end: ServerEnd) {
    self.base = base
    self.end = end
  }

  static func logger(_ logger: Logger, _ end: ServerEnd) -> Logger {
    Logger(label: logger.label) { _ in QuietAtTheEnd(base: logger.handler, end: end) }
  }

  var metadata: Logger.Metadata {
    get { base.metadata }
    set { base.metadata = newValue }
  }

  var metadataProvider: Logger.MetadataProvider? {
    get { base.metadataProvider }
    set { base.metadataProvider = newValue }
  }

  var logLevel: Logger.Level {
    get { base.logLevel }
    set { base.logLevel = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { base[metadataKey: key] }
    set { base[metadataKey: key] = newValue }
  }

  func log(event: LogEvent) {
    var event = event
    if end.hasBegun { event.level = .debug }
    if event.level >= base.logLevel { base.log(event: event) }
  }
}

/// The time of day as HTTP writes it; it is written anew once a second.
private final class HTTPDates: Sendable {
  private let wallClock: any WallClock
  private let last = Mutex<(second: Int64, text: String)>((.min, ""))

  init(_ wallClock: any WallClock) {
    self.wallClock = wallClock
  }

  func now() -> String {
    let now = wallClock.now()
    return last.withLock { last in
      if last.second != now.seconds { last = (now.seconds, now.httpText) }
      return last.text
    }
  }
}

extension Timestamp {
  /// `Fri, 20 Nov 2026 12:00:00 GMT`
  var httpText: String {
    let time = civil
    let day = CivilTime.dayNumber(year: time.year, month: time.month, day: time.day)
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let clock = [time.hour, time.minute, time.second].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    let date = time.day < 10 ? "0\(time.day)" : "\(time.day)"
    return "\(weekdays[((day % 7) + 7) % 7]), \(date) \(months[time.month - 1]) \(time.year) \(clock) GMT"
  }
}
