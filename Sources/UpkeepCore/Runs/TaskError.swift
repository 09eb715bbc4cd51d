/// An error of a task that says what to do about it.
public struct TaskError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A stable name of the kind of error, in `snake_case`.
  public var code: String
  /// Where: a database, a table, a file, a step.
  public var place: String
  /// What was expected and what was found.
  public var problem: String
  /// What to do.
  public var fix: String

  /// Creates an error.
  public init(code: String, place: String, problem: String, fix: String) {
    self.code = code
    self.place = place
    self.problem = problem
    self.fix = fix
  }

  /// `place: problem; fix`
  public var description: String {
    "\(place): \(problem); \(fix)"
  }
}
