/// Makes identifiers of runs.
public enum RunID {
  private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")

  /// A ULID: 48 bits of milliseconds since 1970 and 80 random bits in Crockford's base 32, 26 characters that sort by
  /// time. Source: the ULID specification.
  public static func make(at instant: Timestamp, random: any RandomSource) -> String {
    let time = UInt64(clamping: instant.microseconds / 1000) & 0xFFFF_FFFF_FFFF
    let (high, low) = (random.next() & 0xFF_FFFF_FFFF, random.next() & 0xFF_FFFF_FFFF)
    var text = ""
    for shift in stride(from: 45, through: 0, by: -5) { text.append(alphabet[Int(time >> UInt64(shift)) & 31]) }
    for part in [high, low] {
      for shift in stride(from: 35, through: 0, by: -5) { text.append(alphabet[Int(part >> UInt64(shift)) & 31]) }
    }
    return text
  }

  /// Whether `text` has the form of such an identifier.
  public static func isValid(_ text: String) -> Bool {
    text.count == 26 && isBeginning(text)
  }

  /// Whether such an identifier may begin with `text`.
  public static func isBeginning(_ text: String) -> Bool {
    (1...26).contains(text.count) && text.allSatisfy { alphabet.contains($0) }
  }
}
