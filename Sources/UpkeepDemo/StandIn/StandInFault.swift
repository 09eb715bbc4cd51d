/// What a stand-in platform does wrong, on request.
public struct StandInFault: Hashable, Sendable {
  /// What goes wrong.
  public enum Kind: Hashable, Sendable, CaseIterable {
    /// It never answers.
    case slow
    /// It ends the connection in the middle of the answer.
    case cutOff
    /// It answers 403.
    case refused
    /// It answers 429, with a Retry-After of so many seconds.
    case tooMany
    /// It answers 500.
    case broken
    /// It answers with JSON of another shape.
    case wrongShape
    /// Its answer is 32 MiB long, and doesn't end as it should.
    case huge
    /// It says another length than the answer has.
    case wrongLength
    /// It leads to another place of the same site, which answers.
    case moved
    /// It leads to another site.
    case movedAway
  }

  /// Which requests are meant.
  public enum Scope: Hashable, Sendable {
    /// The list of tournaments.
    case tournaments
    /// The lists of events.
    case events
    /// Single events.
    case event
    /// All of them.
    case all
  }

  /// What goes wrong.
  public var kind: Kind
  /// Which requests are meant.
  public var scope: Scope
  /// How many of them; nothing means every one.
  public var times: Int?
  /// The value of Retry-After, in seconds.
  public var retryAfter: Int

  /// Describes a fault.
  public init(_ kind: Kind, on scope: Scope, times: Int? = nil, retryAfter: Int = 1) {
    self.kind = kind
    self.scope = scope
    self.times = times
    self.retryAfter = retryAfter
  }
}
