import NIOHTTP1
import Synchronization
import UpkeepCore

/// Writes the heads of answers.
final class AnswerHeads: Sendable {
  private let wallClock: any WallClock
  private let last = Mutex<(second: Int64, text: String)>((.min, ""))

  init(_ wallClock: any WallClock) {
    self.wallClock = wallClock
  }

  /// The head of an answer.
  /// - Parameter isLast: Whether the connection ends with it.
  func head(_ response: WebResponse, isLast: Bool) -> HTTPResponseHead {
    var fields = Self.standardFields
    for (name, value) in response.headers { fields.replaceOrAdd(name: name, value: value) }
    fields.add(name: "Date", value: date())
    if let length = response.contentLength { fields.add(name: "Content-Length", value: "\(length)") }
    if isLast { fields.add(name: "Connection", value: "close") }
    return HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: fields)
  }

  /// The time of day as HTTP writes it; it is written anew once a second.
  private func date() -> String {
    let now = wallClock.now()
    return last.withLock { last in
      if last.second != now.seconds { last = (now.seconds, now.httpText) }
      return last.text
    }
  }

  /// What every answer says: nothing from elsewhere, nothing inline, in no frame, not kept, and what it is.
  private static let standardFields: HTTPHeaders = [
    "Content-Security-Policy":
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
      + "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
  ]
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
