import Foundation
import Synchronization

/// Standard output or standard error.
///
/// Whoever reads it may go away at any time (`upkeep history | head`): what can't be written is dropped, since a run
/// must not end for that.
final class Stream: Sendable {
  let descriptor: Int32
  let isTerminal: Bool
  private let lock = Mutex(())

  init(descriptor: Int32) {
    self.descriptor = descriptor
    isTerminal = isatty(descriptor) == 1
  }

  /// The width of the terminal in characters; 80 where it isn't known.
  func width(environment: [String: String]) -> Int {
    if let columns = environment["COLUMNS"].flatMap({ Int($0) }), columns > 0 { return max(20, columns) }
    var size = winsize()
    guard isTerminal, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return max(20, Int(size.ws_col))
  }

  func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    lock.withLock { _ in
      while !bytes.isEmpty {
        let written = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
        if written < 0, errno == EINTR || errno == EAGAIN { continue }
        guard written > 0 else { return }
        bytes = bytes.dropFirst(written)
      }
    }
  }

  func writeLine(_ line: String) {
    write(line + "\n")
  }
}
