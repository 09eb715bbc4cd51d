/// The program itself.
public enum Upkeep {
  /// The program's version.
  public static let version = "0.1.0"
}
