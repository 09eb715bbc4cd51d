import Foundation
import Synchronization

/// A server on a free port of the loopback interface that gives every connection the same answer: for tests of what
/// talks to servers of somebody else.
public final class StubServer: Sendable {
  /// What a connection gets once its request is there.
  public enum Answer: Sendable {
    /// These bytes; then the connection is closed.
    case bytes(String)
    /// These bytes, and then nothing more while the server lives.
    case stalls(String)
  }

  private struct State {
    var answer: Answer
    var requests: [String] = []
    var open: [Int32] = []
    var isStopped = false
  }

  /// The port.
  public let port: UInt16
  private let listener: Int32
  private let state: Mutex<State>

  /// Starts a server.
  /// - Throws: The system's error where no port can be had.
  public init(_ answer: Answer) throws {
    state = Mutex(State(answer: answer))
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let done = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        bind(listener, name, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, name, &length) == 0
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    guard done else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    // The thread that accepts is the one that closes, or it might accept at what has the number by then.
    // Threads of its own: those of the queues are few, and what waits in one of them would keep tests from running.
    Thread.detachNewThread { [weak self] in
      defer { close(listener) }
      while case let connection = accept(listener, nil, nil), connection >= 0 {
        guard let server = self else {
          close(connection)
          return
        }
        Thread.detachNewThread { [weak server] in server?.serve(connection) }
      }
    }
  }

  deinit {
    stop()
  }

  /// A server that answers with a status and a JSON body.
  public static func json(_ body: String, status: String = "200 OK") throws -> StubServer {
    try StubServer(
      .bytes(
        "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
          + "Connection: close\r\n\r\n\(body)"))
  }

  /// The address of a path on the server.
  public func url(_ path: String = "/") -> String {
    "http://127.0.0.1:\(port)\(path)"
  }

  /// The requests so far, each as it came.
  public var requests: [String] {
    state.withLock { $0.requests }
  }

  /// Ends the server: from now on connections are refused.
  public func stop() {
    let open = state.withLock { state -> [Int32]? in
      guard !state.isStopped else { return nil }
      state.isStopped = true
      return state.open
    }
    guard let open else { return }
    shutdown(listener, Int32(SHUT_RDWR))
    for connection in open { close(connection) }
  }

  private func serve(_ connection: Int32) {
    let request = Self.request(from: connection)
    let answer = state.withLock { state in
      state.requests.append(request)
      return state.answer
    }
    switch answer {
    case .bytes(let text):
      Self.send(text, to: connection)
      close(connection)
    case .stalls(let text):
      Self.send(text, to: connection)
      let isStopped = state.withLock { state in
        if !state.isStopped { state.open.append(connection) }
        return state.isStopped
      }
      if isStopped { close(connection) }
    }
  }

  /// Reads up to the end of the headers, and the body that they announce.
  private static func request(from connection: Int32) -> String {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while true {
      let text = String(decoding: bytes, as: UTF8.self)
      if let end = text.range(of: "\r\n\r\n") {
        let lengths = text[..<end.lowerBound].lowercased().components(separatedBy: "content-length: ").dropFirst()
        let expected = lengths.first.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        if text[end.upperBound...].utf8.count >= expected { return text }
      }
      let count = recv(connection, &part, part.count, 0)
      guard count > 0 else { return text }
      bytes += part[..<count]
    }
  }

  private static func send(_ text: String, to connection: Int32) {
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      sent += count
    }
  }
}
