public import Foundation

/// Which proxy a request goes through, as the environment says: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in capitals
/// or not.
///
/// What is on this machine is always asked directly, as with curl and most others.
public struct ProxyRules: Hashable, Sendable {
  /// A proxy.
  public struct Proxy: Hashable, Sendable {
    /// Its name or address.
    public var host: String
    /// Its port.
    public var port: Int
    /// A user of it.
    public var user: String?
    /// That user's password.
    public var password: String?

    /// Reads an address such as `http://user:password@proxy.example.org:3128`; without a scheme it is HTTP.
    init?(_ text: String) {
      let text = text.contains("://") ? text : "http://\(text)"
      guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty else { return nil }
      self.host = host
      port = parts.port ?? 80
      user = parts.user
      password = parts.password
    }
  }

  private let byScheme: [String: Proxy]
  private let excepted: [String]

  /// Reads the environment; an empty one means that there is no proxy.
  public init(environment: [String: String]) {
    func value(_ name: String) -> String? {
      let found = environment[name.lowercased()] ?? environment[name]
      return found.flatMap { $0.isEmpty ? nil : $0 }
    }
    var byScheme: [String: Proxy] = [:]
    for scheme in ["http", "https"] {
      byScheme[scheme] = (value("\(scheme.uppercased())_PROXY") ?? value("ALL_PROXY")).flatMap { Proxy($0) }
    }
    self.byScheme = byScheme
    excepted = (value("NO_PROXY") ?? "").split(separator: ",").map { entry in
      let name = entry.trimmingCharacters(in: .whitespaces).lowercased()
      return name.hasPrefix(".") ? String(name.dropFirst()) : name
    }
  }

  /// The proxy for an address; nothing where it is asked directly.
  public func proxy(for url: URL) -> Proxy? {
    guard let scheme = url.scheme, let proxy = byScheme[scheme], let host = url.host?.lowercased() else { return nil }
    if host == "localhost" || host == "::1" || host == "[::1]" || host.hasPrefix("127.") { return nil }
    let isExcepted = excepted.contains { $0 == "*" || host == $0 || (!$0.isEmpty && host.hasSuffix(".\($0)")) }
    return isExcepted ? nil : proxy
  }
}
