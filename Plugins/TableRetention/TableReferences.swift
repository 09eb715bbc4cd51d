import UpkeepDatabase
import UpkeepPurge

/// What the foreign keys say of the rows of other tables, where rows of one go.
public struct TableReferences: Hashable, Sendable {
  /// The tables whose rows go along, whatever their age: those that refer to it, and those that refer to these.
  public var goingAlong: [String] = []
  /// The tables whose rows stay and lose their reference.
  public var losing: [String] = []
  /// The tables whose rows keep what they refer to, or what that would go along with.
  public var keeping: [String] = []

  init(to table: String, _ graph: DeletionGraph) {
    var (going, next) = ([table], 0)
    while next < going.count {
      for edge in graph.edges(to: going[next]) {
        switch edge.action {
        case .delete:
          Self.add(edge.child, to: &goingAlong)
          Self.add(edge.child, to: &going)
        case .unlink: Self.add(edge.child, to: &losing)
        case .hold: Self.add(edge.child, to: &keeping)
        }
      }
      next += 1
    }
  }

  private static func add(_ table: String, to tables: inout [String]) {
    if !tables.contains(table) { tables.append(table) }
  }
}
