import Foundation
import Glibc
import Synchronization

/// A client that sends what a test says, byte for byte. It waits on threads of its own: the server needs the others.
package final class ClientSocket: Sendable {
  /// An answer.
  package struct Answer: Sendable {
    /// The status code.
    package var status: Int
    /// The header fields by their lower-case names.
    package var headers: [String: String]
    /// The body.
    package var body: String
  }

  /// What didn't work.
  package struct Failure: Error {
    var what: String
  }

  private let handle: Int32
  /// What came beyond the last answer.
  private let left = Mutex<[UInt8]>([])

  /// Connects to a port of this machine.
  /// - Parameters:
  ///   - receiveBuffer: How many bytes the system takes in for a client that doesn't read; nothing leaves it to it.
  ///   - sendPatience: How many seconds it waits for a server that doesn't read.
  package init(port: Int, receiveBuffer: Int32? = nil, sendPatience: Int = 0) throws {
    handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard handle >= 0 else { throw Failure(what: "socket") }
    var patience = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var sendPatience = timeval(tv_sec: sendPatience, tv_usec: 0)
    setsockopt(handle, SOL_SOCKET, SO_SNDTIMEO, &sendPatience, socklen_t(MemoryLayout<timeval>.size))
    if var size = receiveBuffer {
      setsockopt(handle, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(handle, $0, size) }
    }
    guard status == 0 else { throw Failure(what: "connect") }
  }

  deinit { close(handle) }

  private func apart<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      Thread { continuation.resume(with: Result { try body() }) }.start()
    }
  }

  /// Sends some text.
  package func send(_ text: String) async throws {
    try await apart { [self] in try sendNow(text) }
  }

  /// Reads one answer.
  package func answer(hasBody: Bool = true) async throws -> Answer {
    try await apart { [self] in try answerNow(hasBody: hasBody) }
  }

  /// Whether something has come that wasn't read yet.
  package var hasInput: Bool {
    var byte = UInt8(0)
    return recv(handle, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) > 0
  }

  /// Whether the server has ended the connection; false where it doesn't do so in time.
  package func isClosed() async throws -> Bool {
    try await apart { [self] in
      while true {
        do { _ = try receive() } catch { return errno != EAGAIN }
      }
    }
  }

  /// Reads on until what came contains a text so many times, or until the connection ends.
  /// - Returns: All that came.
  package func read(until text: String, count: Int = 1) async throws -> String {
    try await apart { [self] in
      let wanted = Array(text.utf8)
      var (bytes, seen, start): ([UInt8], Int, Int) = ([], 0, 0)
      while seen < count {
        do { bytes += try receive() } catch { break }
        bytes.withUnsafeBytes { all in
          while let base = all.baseAddress, start + wanted.count <= all.count,
            let first = memchr(base + start, Int32(wanted[0]), all.count - wanted.count + 1 - start)
          {
            start = base.distance(to: UnsafeRawPointer(first)) + 1
            guard memcmp(first, wanted, wanted.count) == 0 else { continue }
            seen += 1
            start += wanted.count - 1
          }
        }
        // What isn't found yet may begin at the end of what came so far.
        start = max(start, bytes.count - wanted.count + 1)
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  /// Asks once and ends the connection.
  package static func ask(
    _ port: Int, _ method: String, _ target: String, _ body: String? = nil, headers: [String: String] = [:]
  ) async throws -> Answer {
    let socket = try ClientSocket(port: port)
    var fields = ["Host": "127.0.0.1:\(port)", "Connection": "close"]
    if let body {
      fields["Content-Type"] = "application/json"
      fields["Content-Length"] = "\(body.utf8.count)"
    }
    fields.merge(headers) { $1 }
    let lines = fields.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\r\n" }.joined()
    try await socket.send("\(method) \(target) HTTP/1.1\r\n\(lines)\r\n\(body ?? "")")
    return try await socket.answer(hasBody: method != "HEAD")
  }

  private func sendNow(_ text: String) throws {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes { Glibc.send(handle, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard sent > 0 else { throw Failure(what: "send") }
      rest = rest.dropFirst(sent)
    }
  }

  /// Says that nothing more is sent.
  package func endInput() {
    shutdown(handle, Int32(SHUT_WR))
  }

  private func receive() throws -> [UInt8] {
    let known = left.withLock { left in
      defer { left = [] }
      return left
    }
    if !known.isEmpty { return known }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    errno = 0
    let count = recv(handle, &buffer, buffer.count, 0)
    guard count > 0 else { throw Failure(what: "closed") }
    return Array(buffer[..<count])
  }

  private func answerNow(hasBody: Bool) throws -> Answer {
    var bytes: [UInt8] = []
    let end = Array("\r\n\r\n".utf8)
    while bytes.firstRange(of: end) == nil { bytes += try receive() }
    let range = bytes.firstRange(of: end) ?? 0..<0
    let lines = String(decoding: bytes[..<range.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
    }
    var body = Array(bytes[range.upperBound...])
    let length = hasBody ? headers["content-length"].flatMap { Int($0) } ?? 0 : 0
    while body.count < length { body += try receive() }
    left.withLock { $0 = Array(body.dropFirst(length)) }
    body.removeLast(max(0, body.count - length))
    let status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) }
    return Answer(status: status ?? 0, headers: headers, body: String(decoding: body, as: UTF8.self))
  }
}
