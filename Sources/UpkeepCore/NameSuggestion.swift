/// Finds the known name that somebody probably meant.
public enum NameSuggestion {
  /// The name of `known` nearest to `name`, where it is near enough to be a slip of the finger.
  ///
  /// Near is an edit distance (insertions, deletions, substitutions, swaps of neighbours) of at most a third of the
  /// longer name, and of one at least. The first of equally near names wins.
  public static func nearest(to name: String, among known: some Sequence<String>) -> String? {
    var best: (name: String, distance: Int)?
    for candidate in known where candidate != name {
      let distance = distance(Array(name.lowercased().unicodeScalars), Array(candidate.lowercased().unicodeScalars))
      let allowed = max(1, max(name.count, candidate.count) / 3)
      if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
  }

  /// What to say of an unknown name: the known one that is nearest, or all of them.
  ///
  /// - Parameter none: What is said where nothing is known.
  public static func hint(for name: String, among known: [String], none: String) -> String {
    nearest(to: name, among: known).map { "did you mean \($0)?" }
      ?? (known.isEmpty ? none : "expected \(known.joined(separator: ", "))")
  }

  /// The optimal string alignment distance of two texts.
  static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
    if left.count > 200 || right.count > 200 { return max(left.count, right.count) }
    var previous = [Int](repeating: 0, count: right.count + 1)
    var current = Array(0...right.count)
    for row in 1...left.count {
      let beforePrevious = previous
      previous = current
      current[0] = row
      for column in 1...right.count {
        let cost = left[row - 1] == right[column - 1] ? 0 : 1
        current[column] = min(previous[column] + 1, current[column - 1] + 1, previous[column - 1] + cost)
        if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
          current[column] = min(current[column], beforePrevious[column - 2] + 1)
        }
      }
    }
    return current[right.count]
  }
}
