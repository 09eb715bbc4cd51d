import Synchronization

/// An answer that many ask for and that seldom changes: it is written anew where what it says differs from before.
final class LastDocument<Content: Equatable & Sendable>: Sendable {
  private let last = Mutex<(content: Content, response: WebResponse)?>(nil)

  /// The answer that says `content`, as `shape` puts it.
  func response<Shape: Encodable>(to content: Content, as shape: (Content) -> Shape) throws -> WebResponse {
    if let last = last.withLock(\.self), last.content == content { return last.response }
    let response = try WebResponse.json(shape(content))
    last.withLock { $0 = (content, response) }
    return response
  }
}
