import Foundation
import Testing

/// A socket as systemd has it for the services that it starts.
final class NotifySocket: Sendable {
  /// The messages, as they come.
  let messages: AsyncStream<String>
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    try #require(descriptor >= 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    try #require(bytes.count < MemoryLayout.size(ofValue: address.sun_path))
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let bound = withUnsafePointer(to: &address) { [descriptor] pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
    let (messages, send) = AsyncStream.makeStream(of: String.self)
    self.messages = messages
    Thread.detachNewThread { [descriptor] in
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { break }
        send.yield(String(decoding: buffer[..<count], as: UTF8.self))
      }
      send.finish()
      close(descriptor)
    }
  }

  /// Ends the stream.
  func end() {
    shutdown(descriptor, Int32(SHUT_RD))
  }

  /// The first message from now on with this line in it.
  func wait(for line: String) async throws -> [String] {
    for await message in messages {
      let lines = message.split(separator: "\n").map(String.init)
      if lines.contains(where: { $0.hasPrefix(line) }) { return lines }
    }
    throw RunningProgram.UnexpectedEnd(text: line)
  }
}
