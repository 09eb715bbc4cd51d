import Foundation

/// The name or address of a `Host`, without its port, in one spelling.
struct HostName: Hashable {
  /// Lower case, without a dot at the end; an IPv6 address without brackets and as short as can be.
  let text: String
  /// Whether it is an IP address: no DNS server can have it lead elsewhere.
  let isAddress: Bool

  /// Reads `localhost:8787`, `10.0.0.7`, `[::1]:8787`; an IPv6 address alone may lack its brackets.
  /// - Returns: Nothing for what is neither.
  init?(_ host: String) {
    let host = host.lowercased()
    if host.first == "[" {
      guard let end = host.firstIndex(of: "]"), Self.isPort(host[host.index(after: end)...]),
        let address = Self.address(host[..<end].dropFirst(), AF_INET6)
      else { return nil }
      (text, isAddress) = (address, true)
      return
    }
    // No name and no port has two colons.
    if host.utf8.count(where: { $0 == UInt8(ascii: ":") }) > 1, let address = Self.address(host[...], AF_INET6) {
      (text, isAddress) = (address, true)
      return
    }
    var name = host[...]
    if let colon = name.firstIndex(of: ":") {
      guard Self.isPort(name[colon...]) else { return nil }
      name = name[..<colon]
    }
    if name.last == "." { name = name.dropLast() }
    guard !name.isEmpty else { return nil }
    // The system takes no address for IPv4 that ends otherwise.
    let endsWithDigit = name.utf8.last.map { (48...57).contains($0) } ?? false
    let address = endsWithDigit ? Self.address(name, AF_INET) : nil
    (text, isAddress) = (address ?? String(name), address != nil)
  }

  /// Nothing, or `:8787`.
  private static func isPort(_ text: Substring) -> Bool {
    text.isEmpty || text.first == ":" && text.dropFirst().utf8.allSatisfy { (48...57).contains($0) }
  }

  /// An address as the system writes it; nothing for what isn't one, such as `1`, `0x7f.1` or `127.1`.
  private static func address(_ text: Substring, _ family: Int32) -> String? {
    var bytes = in6_addr()
    guard inet_pton(family, String(text), &bytes) == 1 else { return nil }
    var written = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard inet_ntop(family, &bytes, &written, socklen_t(written.count)) != nil else { return nil }
    return String(decoding: written.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
