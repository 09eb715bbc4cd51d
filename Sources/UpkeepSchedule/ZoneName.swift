public import Foundation
import UpkeepCore

/// The names of time zones.
public enum ZoneName {
  /// The zone of a name in the time zone database, such as `Europe/Riga`, or `UTC`.
  ///
  /// Names match exactly; abbreviations such as `EST`, which mean several zones, and `GMT+3` aren't taken.
  public static func zone(_ name: String) -> TimeZone? {
    if name == "UTC" || name == "Etc/UTC" || name == "GMT" { return TimeZone(secondsFromGMT: 0) }
    // The list leaves names out that are read all the same, such as Asia/Kolkata; all of those have a slash.
    guard known.contains(name) || (name.contains("/") && name.first?.isUppercase == true) else { return nil }
    return TimeZone(identifier: name)
  }

  /// All names.
  public static let known = Set(TimeZone.knownTimeZoneIdentifiers).union(["UTC", "Etc/UTC", "GMT"])

  /// The name that was probably meant: a known one that is near, or one that ends in it.
  public static func nearest(to name: String) -> String? {
    let sorted = known.sorted()
    return NameSuggestion.nearest(to: name, among: sorted)
      ?? sorted.first { $0.lowercased().hasSuffix("/" + name.lowercased()) }
  }
}
