import NIOCore

/// Takes no more connections than a server may hold; more wait in the system's queue until one ends.
final class ConnectionLimit: ChannelDuplexHandler {
  typealias InboundIn = any Channel
  typealias OutboundIn = Never

  private let most: Int
  private var held = 0
  private var isReadHeldBack = false

  init(_ most: Int) {
    self.most = most
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    held += 1
    let here = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    unwrapInboundIn(data).closeFuture.hop(to: context.eventLoop).whenComplete { _ in
      let (handler, context) = here.value
      handler.held -= 1
      guard handler.isReadHeldBack else { return }
      handler.isReadHeldBack = false
      context.read()
    }
    context.fireChannelRead(data)
  }

  func read(context: ChannelHandlerContext) {
    if held < most { context.read() } else { isReadHeldBack = true }
  }
}
