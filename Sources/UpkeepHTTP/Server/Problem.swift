import UpkeepCore

/// Why a request isn't done: the document of RFC 9457, `application/problem+json`.
struct Problem: Error, Hashable, Sendable {
  /// The status code.
  var status: Int
  /// A stable name of the problem, `snake_case`.
  var code: String
  /// What is wrong and what to do, in one sentence.
  var detail: String
  /// More of what is known.
  var more: [String: JSONValue] = [:]
  /// Header fields that belong to the answer.
  var headers: [String: String] = [:]

  init(
    _ status: Int, _ code: String, _ detail: String, more: [String: JSONValue] = [:], headers: [String: String] = [:]
  ) {
    self.status = status
    self.code = code
    self.detail = detail
    self.more = more
    self.headers = headers
  }

  /// Says what went wrong inside, without more than is needed to find it.
  init(_ error: any Error) {
    if let error = error as? Problem {
      self = error
    } else if let error = error as? TaskError {
      self.init(503, error.code, error.description)
    } else {
      self.init(500, "internal", "the request failed: \(error)")
    }
  }

  var response: WebResponse {
    var document = more
    document["type"] = "about:blank"
    document["title"] = .string(Self.title(status))
    document["status"] = .integer(status)
    document["code"] = .string(code)
    document["detail"] = .string(detail)
    let fields = headers.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    // The document holds nothing that can't be encoded.
    let answer = try? WebResponse.json(document, status: status, headers: fields, type: "application/problem+json")
    return answer ?? WebResponse(status: status)
  }

  /// The name of a status.
  static func title(_ status: Int) -> String {
    switch status {
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 412: "Precondition Failed"
    case 413: "Content Too Large"
    case 415: "Unsupported Media Type"
    case 421: "Misdirected Request"
    case 422: "Unprocessable Content"
    case 428: "Precondition Required"
    case 503: "Service Unavailable"
    default: "Internal Server Error"
    }
  }
}
