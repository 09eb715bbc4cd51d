import Foundation

/// The address of a platform.
enum PlatformAddress {
  /// What is wrong with an address; nothing where it is one, or there is none.
  static func problem(_ text: String?) -> String? {
    guard let text else { return nil }
    let parts = URLComponents(string: text)
    guard let parts, parts.scheme == "http" || parts.scheme == "https", parts.host?.isEmpty == false else {
      return "expected scheme and host, such as https://www.example.org, found \"\(text)\""
    }
    return parts.query == nil && parts.fragment == nil ? nil : "expected an address without a query"
  }

  /// The address without slashes at its end.
  static func trimmed(_ text: String) -> String {
    var text = text[...]
    while text.hasSuffix("/") { text.removeLast() }
    return String(text)
  }
}
