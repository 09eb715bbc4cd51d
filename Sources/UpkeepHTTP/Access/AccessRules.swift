/// Who may ask for what: checked before any route is looked at.
///
/// - The `Host` must be a name of this server, or a page elsewhere could reach it under a name of its own (DNS rebinding).
///   An address is nobody's name: where others reach the server, they may ask for it by any that leads here.
/// - With a token every route but the two of health wants it, and whoever lacks it gets one same answer everywhere.
/// - A write needs a JSON content type, which no form can send, and from a browser the origin of this server.
public struct AccessRules: Sendable {
  /// The names that requests may give as their host, lower case, without a port.
  private let hosts: Set<String>
  /// Whether any address will do.
  private let takesAddresses: Bool
  /// Origins that may use the compatibility routes from a browser, lower case.
  private let origins: Set<String>
  /// The token; nothing where none is wanted.
  private let token: [UInt8]?

  /// Creates rules.
  ///
  /// - Parameters:
  ///   - listen: The name or address that the server listens on.
  ///   - machine: The name of this machine, where others reach that address; nothing where it is one of loopback.
  ///   - hosts: Further names that it answers to.
  ///   - origins: Origins that may use the compatibility routes from a browser.
  ///   - token: The token; nothing where none is wanted.
  public init(
    listen: String, machine: String? = nil, hosts: [String] = [], origins: [String] = [], token: String? = nil
  ) {
    let own = [listen, "localhost", "127.0.0.1", "::1"] + [machine].compactMap(\.self)
    self.hosts = Set((own + hosts).compactMap { HostName($0)?.text })
    takesAddresses = machine != nil
    self.origins = Set(origins.map { $0.lowercased() })
    self.token = token.map { Array($0.utf8) }
  }

  /// Routes that need no token.
  static let open: Set<[String]> = [["healthz"], ["readyz"], ["login"]]

  /// Whether a token is wanted.
  var wantsToken: Bool { token != nil }

  /// Whether a text is the token; it takes the same time wherever the two differ.
  func isToken(_ text: String) -> Bool {
    guard let token else { return false }
    let given = Array(text.utf8)
    guard given.count == token.count else { return false }
    return zip(given, token).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  /// What is wrong with a request; nothing where it may go on.
  ///
  /// - Parameter isLoggedIn: Whether it carries the cookie of somebody who gave the token.
  func problem(_ request: WebRequest, isLoggedIn: Bool) -> Problem? {
    guard let host = request.headers["host"], !host.isEmpty else {
      return Problem(400, "no_host", "the request has no Host header")
    }
    guard let name = HostName(host), hosts.contains(name.text) || takesAddresses && name.isAddress else {
      return Problem(
        421, "unknown_host", "this server doesn't answer to that Host; add its name to host.allowed_hosts")
    }
    if wantsToken, !isLoggedIn, !Self.open.contains(request.path), !holdsToken(request.headers["authorization"]) {
      return Problem(
        401, "unauthorized", "send the token of this server as Authorization: Bearer TOKEN, or log in at /login",
        headers: ["WWW-Authenticate": "Bearer"])
    }
    guard request.isWrite else { return nil }
    return originProblem(request, host: host)
  }

  /// What is wrong with what a request says of its body, once it is known that there is something to change.
  func bodyProblem(_ request: WebRequest) -> Problem? {
    // The page to log in at works without scripts, so it sends a form.
    if !request.isWrite || request.path == ["login"] && request.isForm { return nil }
    guard request.mediaType == "application/json" else {
      return Problem(415, "not_json", "a request that changes something needs Content-Type: application/json")
    }
    return nil
  }

  /// The origin that an answer names as allowed, for the compatibility routes.
  func allowedOrigin(_ request: WebRequest) -> String? {
    guard let origin = request.headers["origin"], origins.contains(origin.lowercased()),
      Compatibility.holds(request.path)
    else { return nil }
    return origin
  }

  private func originProblem(_ request: WebRequest, host: String) -> Problem? {
    if allowedOrigin(request) != nil { return nil }
    let problem = Problem(403, "foreign_origin", "a page of another origin may change nothing here")
    if let origin = request.headers["origin"]?.lowercased() {
      let parts = origin.split(separator: "/", omittingEmptySubsequences: false)
      let isOwn = parts.count == 3 && ["http:", "https:"].contains(parts[0]) && parts[1].isEmpty
      return isOwn && parts[2] == host.lowercased() ? nil : problem
    }
    // A browser that sends no origin still says where the request comes from.
    let site = request.headers["sec-fetch-site"]
    return site == nil || site == "same-origin" || site == "none" ? nil : problem
  }

  private func holdsToken(_ field: String?) -> Bool {
    guard let field, field.count > 7, field.prefix(7).lowercased() == "bearer " else { return false }
    return isToken(String(field.dropFirst(7)))
  }
}
