import NIOCore
import NIOHTTP1
import UpkeepCore

/// One client's connection: takes its requests one after the other, and answers them.
///
/// Whatever the client does costs a bounded amount of memory and time: a body has a largest size, and a request, an answer
/// and the time between two of them have a deadline.
final class Connection: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = Never
  typealias OutboundOut = HTTPServerResponsePart

  private enum Phase {
    /// Waits for a request, or is in the middle of its head.
    case idle
    /// Takes in a body.
    case body(HTTPRequestHead, ByteBuffer)
    /// The answer is being made, or sent.
    case answering
    /// Nothing more is taken or answered.
    case over
  }

  private let site: Site
  private let connections: Connections
  private let heads: AnswerHeads
  private let clock: any Clock<Duration>
  private var executor: LoopExecutor?
  private var context: ChannelHandlerContext?
  private var phase = Phase.idle
  private var answer: Task<Void, Never>?
  /// An answer that waits until earlier ones were read.
  private var held: (WebResponse, isLast: Bool, isLeft: Bool)?
  private var isInputClosed = false
  private var isFollowing = false
  private var isGone = false
  /// Answers that the system hasn't taken yet.
  private var unsent = 0
  /// What came in while an answer was being made.
  private var waiting = CircularBuffer<HTTPServerRequestPart>()
  private var isReadHeldBack = false
  /// When the client's patience ends; nothing while the server takes its time.
  private var deadline: NIODeadline?
  private var alarm: Scheduled<Void>?

  init(_ site: Site, connections: Connections, heads: AnswerHeads, clock: any Clock<Duration>) {
    self.site = site
    self.connections = connections
    self.heads = heads
    self.clock = clock
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    executor = LoopExecutor(loop: context.eventLoop)
    guard connections.add(NIOLoopBound(self, eventLoop: context.eventLoop)) else { return context.close(promise: nil) }
    waitForClient()
    setAlarm(context.eventLoop)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    isGone = true
    phase = .over
    alarm?.cancel()
    if answer == nil { connections.remove(self) }
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent {
      isInputClosed = true
      // Who says nothing more still gets the answers to what was asked; who listened to events is gone.
      if isFollowing || isDone { context.close(promise: nil) }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // The connection is closed as soon as this returns.
    switch phase {
    case .idle, .body:
      phase = .answering
      if error is HTTPParserError {
        send(Problem(400, "not_http", "the request isn't HTTP, or its head is too long").response, isLast: true)
      }
    case .answering, .over: break
    }
    phase = .over
    context.close(promise: nil)
  }

  /// Closes the connection.
  /// - Returns: What is being answered, cancelled.
  func end() -> Task<Void, Never>? {
    phase = .over
    answer?.cancel()
    context?.close(promise: nil)
    return answer
  }

  /// Whether a client that says nothing more has got all that it asked for.
  private var isDone: Bool {
    if case .answering = phase { return false }
    return unsent == 0 && waiting.isEmpty
  }

  // MARK: - Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let part = unwrapInboundIn(data)
    if case .answering = phase { waiting.append(part) } else { take(part) }
  }

  /// Reads no more than it can answer: nobody can send requests faster than they are dealt with.
  func read(context: ChannelHandlerContext) {
    if waiting.isEmpty { context.read() } else { isReadHeldBack = true }
  }

  private func takeWhatWaits() {
    while !waiting.isEmpty {
      if case .answering = phase { return }
      take(waiting.removeFirst())
    }
    guard isReadHeldBack else { return }
    isReadHeldBack = false
    context?.read()
  }

  private func take(_ part: HTTPServerRequestPart) {
    switch (part, phase) {
    case (.head(let head), .idle):
      if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }), length > WebServer.longestBody {
        return refuse(Self.tooLong)
      }
      phase = .body(head, ByteBuffer())
      waitForClient()
    case (.body(var part), .body(let head, var body)):
      guard body.readableBytes + part.readableBytes <= WebServer.longestBody else { return refuse(Self.tooLong) }
      phase = .idle
      body.writeBuffer(&part)
      phase = .body(head, body)
    case (.end, .body(let head, let body)): take(head, body)
    default: break
    }
  }

  private static let tooLong = Problem(
    413, "body_too_long", "a body may have at most \(WebServer.longestBody) bytes")

  private func take(_ head: HTTPRequestHead, _ body: ByteBuffer) {
    guard let context, let executor else { return }
    deadline = nil
    phase = .answering
    let isLast = !head.isKeepAlive || head.version != .http1_1
    let request: WebRequest
    do {
      request = try WebRequest(head, body)
    } catch {
      return send(error.response, isLast: true)
    }
    let here = NIOLoopBound(self, eventLoop: context.eventLoop)
    answer = Task(executorPreference: executor) { [site] in
      let response = await site.respond(to: request)
      let connection = here.value
      if let events = response.events { await connection.follow(events, response) }
      connection.answer = nil
      if connection.isGone { return connection.connections.remove(connection) }
      if response.events == nil { connection.send(response, isLast: isLast) }
    }
  }

  // MARK: - Answers

  /// Answers before the whole request is there; what is left of it isn't worth reading.
  private func refuse(_ problem: Problem) {
    phase = .answering
    _ = context?.channel.setOption(.autoRead, value: false)
    send(problem.response, isLast: true, isLeft: true)
  }

  private func send(_ response: WebResponse, isLast: Bool, isLeft: Bool = false) {
    guard let context, case .answering = phase else { return }
    // Who doesn't read the answers is cut off, and no more of them are made meanwhile.
    waitForClient()
    guard context.channel.isWritable else {
      held = (response, isLast, isLeft)
      return
    }
    let isLast = isLast || isInputClosed && waiting.isEmpty
    let sent = context.eventLoop.makePromise(of: Void.self)
    let here = NIOLoopBound(self, eventLoop: context.eventLoop)
    sent.futureResult.whenComplete { result in here.value.isSent(result, isLast: isLast, isLeft: isLeft) }
    unsent += 1
    context.write(wrapOutboundOut(.head(heads.head(response, isLast: isLast))), promise: nil)
    if !response.body.isEmpty {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: response.body)))), promise: nil)
    }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
    if case .answering = phase { phase = isLast ? .over : .idle }
    takeWhatWaits()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable, let (response, isLast, isLeft) = held {
      held = nil
      send(response, isLast: isLast, isLeft: isLeft)
    }
    context.fireChannelWritabilityChanged()
  }

  private func isSent(_ result: Result<Void, any Error>, isLast: Bool, isLeft: Bool) {
    unsent -= 1
    guard let context else { return }
    guard case .success = result, !isLast || isLeft else { return context.close(promise: nil) }
    guard isLast else {
      if isInputClosed, isDone { context.close(promise: nil) }
      return
    }
    // A connection that is closed on what wasn't read is reset, and the answer with it: its reader gets a moment first.
    context.close(mode: .output, promise: nil)
    deadline = context.eventLoop.now + .seconds(1)
    setAlarm(context.eventLoop)
  }

  /// Sends events until there are no more, or until nobody reads them.
  private func follow(_ events: EventListener, _ response: WebResponse) async {
    guard let channel = context?.channel, !isInputClosed, case .answering = phase else {
      context?.close(promise: nil)
      return events.end()
    }
    isFollowing = true
    // What a listener didn't read stands in the way of everything else on its connection, the end included.
    events.whenDropped { channel.close(promise: nil) }
    channel.closeFuture.whenComplete { _ in events.end() }
    let clock = clock
    async let _: Void = Self.nudge(events, clock)
    context?.write(wrapOutboundOut(.head(heads.head(response, isLast: true))), promise: nil)
    context?.flush()
    for await chunk in events.chunks {
      let part = HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: chunk)))
      guard (try? await channel.writeAndFlush(part)) != nil else { break }
    }
    events.end()
    phase = .over
    context?.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    context?.close(promise: nil)
  }

  private static func nudge(_ events: EventListener, _ clock: any Clock<Duration>) async {
    while (try? await clock.sleep(for: WebServer.nudgeInterval)) != nil { events.nudge() }
  }

  // MARK: - Patience

  private func waitForClient() {
    deadline = context.map { $0.eventLoop.now + TimeAmount(WebServer.patience) }
  }

  /// Looks after the deadline when it may have come: one alarm serves all requests of a connection.
  private func setAlarm(_ loop: any EventLoop) {
    alarm?.cancel()
    let here = NIOLoopBound(self, eventLoop: loop)
    let next = deadline ?? loop.now + TimeAmount(WebServer.patience)
    alarm = loop.scheduleTask(deadline: next) { here.value.ring(loop) }
  }

  private func ring(_ loop: any EventLoop) {
    guard let deadline, deadline <= loop.now else { return setAlarm(loop) }
    guard case .body = phase else {
      context?.close(promise: nil)
      return
    }
    let patience = WebServer.patience.durationText
    refuse(Problem(408, "body_too_slow", "the body didn't come within \(patience)"))
    setAlarm(loop)
  }
}

extension WebRequest {
  /// A request as it was sent.
  /// - Throws: A ``Problem`` where it leads nowhere.
  init(_ head: HTTPRequestHead, _ body: ByteBuffer) throws(Problem) {
    var headers: [String: String] = [:]
    for (name, value) in head.headers {
      let name = name.lowercased()
      if name == "host", headers[name] != nil {
        throw Problem(400, "two_hosts", "the request has more than one Host header")
      }
      headers[name] = value
    }
    var target = head.uri[...]
    // Where a target names its server itself, that is the one asked for (RFC 9112, 3.2.2).
    if target.first != "/", let scheme = target.prefixMatch(of: #/https?:\/\//#.ignoresCase()) {
      let rest = target[scheme.range.upperBound...]
      let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
      headers["host"] = String(rest[..<end])
      target = rest[end...]
      if target.first != "/" { target = "/" + target }
    }
    guard
      let request = WebRequest(
        head.method.rawValue, String(target), headers: headers, body: Array(body.readableBytesView))
    else { throw Problem(400, "bad_target", "the request's target isn't a path") }
    self = request
  }
}
