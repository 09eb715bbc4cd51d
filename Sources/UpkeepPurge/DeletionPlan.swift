public import UpkeepCore
import UpkeepDatabase

/// What goes, in which order: the one object that a preview counts and a run deletes by.
public struct DeletionPlan: Sendable {
  /// One rule and the passes over tables that carry it out.
  public struct Step: Sendable {
    /// The rule.
    public let rule: DeletionRule
    let root: DeletionPass
  }

  /// The steps, in their order.
  public let steps: [Step]
  /// The references between tables.
  public let graph: DeletionGraph
  /// The rows that it leaves alone.
  public let exceptions: [RowException]

  /// Plans the deletion of what the rules select, in their order.
  ///
  /// - Parameter exceptions: What the host excepts: ``UpkeepCore/TaskContext/exceptions(in:)``. A plan without them isn't
  ///   carried out.
  /// - Throws: ``UpkeepCore/TaskError`` where a table is missing, or is of a kind that can't be purged.
  public init(_ rules: [DeletionRule], graph: DeletionGraph, exceptions: [RowException] = []) throws {
    self.graph = graph
    self.exceptions = exceptions
    let excepted = try ExceptedRows(exceptions, catalogue: graph.catalogue)
    let times = rules.compactMap { rule in
      rule.timeColumn.map { (rule.table.lowercased(), TimeColumn($0, rule.timeForm)) }
    }
    var planner = DeletionPlanner(
      graph: graph, excepted: excepted, timeColumns: Dictionary(times) { first, _ in first })
    steps = try rules.map { Step(rule: $0, root: try planner.root(of: $0)) }
  }
}

/// The deletion of rows of one table with what belongs to them.
///
/// A pass deletes a row, in the same batch, with the children that nothing refers to (``leaves``), after the children
/// that have children themselves went in passes of their own (``children``).
struct DeletionPass: Sendable {
  enum Selection: Sendable {
    /// The rows that a condition selects.
    case condition(RowCondition)
    /// The rows that refer to the rows of another pass.
    case children(of: Int, by: DeletionEdge)
  }

  /// Tells passes of a plan apart, and names its temporary tables.
  let id: Int
  let table: TableDescription
  let rowNumber: String
  let selection: Selection
  let timeColumn: TimeColumn?
  /// Rows that go in the same batch.
  let leaves: [DeletionEdge]
  /// Rows whose reference is set to NULL in the same batch.
  let unlinks: [DeletionEdge]
  /// Rows that keep what they refer to.
  let holds: [DeletionEdge]
  /// Passes that come first, over the children that have children themselves.
  let children: [DeletionPass]
  /// Rows that must stay as they are.
  let excepted: ExceptedRows

  /// Whether the rows can be walked in ranges of their row number without listing them first: nothing can hold them,
  /// and all that belongs to them is found by an index.
  let isDirect: Bool

  /// This pass and all below it, the parent before its children.
  var tree: [DeletionPass] {
    [self] + children.flatMap(\.tree)
  }

  /// The columns by which other tables refer to this one.
  var keyColumns: [String] {
    var columns: [String] = []
    for edge in edges {
      for column in edge.parentColumns where !columns.contains(column) { columns.append(column) }
    }
    return columns
  }

  /// The edges that a change of the pass's rows has to do with.
  var edges: [DeletionEdge] {
    leaves + unlinks + holds + children.compactMap(\.edge)
  }

  /// The edge to the parent pass.
  var edge: DeletionEdge? {
    if case .children(_, let edge) = selection { edge } else { nil }
  }
}

/// Builds the passes of a plan.
private struct DeletionPlanner {
  let graph: DeletionGraph
  let excepted: ExceptedRows
  let timeColumns: [String: TimeColumn]
  var nextID = 0

  mutating func root(of rule: DeletionRule) throws -> DeletionPass {
    let closure = try closure(of: rule.table, path: [])
    return try pass(rule.table, .condition(rule.condition), closure: closure)
  }

  /// The tables whose rows go with rows of `table`, itself included.
  private func closure(of table: String, path: [String]) throws -> Set<String> {
    let name = table.lowercased()
    guard !path.contains(name) else {
      throw TaskError(
        code: "reference_cycle", place: "table \(table)",
        problem: "its foreign keys lead back to itself (\((path + [name]).joined(separator: " → ")))",
        fix: "tables that refer to themselves can't be purged by this version")
    }
    var found: Set<String> = [name]
    for edge in graph.edges(to: table) where edge.action == .delete {
      found.formUnion(try closure(of: edge.child, path: path + [name]))
    }
    return found
  }

  private mutating func pass(
    _ name: String, _ selection: DeletionPass.Selection, closure: Set<String>
  ) throws -> DeletionPass {
    guard let table = graph.catalogue[name] else {
      throw TaskError(
        code: "missing_table", place: "table \(name)", problem: "there is no such table in the database",
        fix: "check that the task's database is the right one")
    }
    guard !table.isVirtual, let rowNumber = table.rowNumber else {
      throw TaskError(
        code: "unsupported_table", place: "table \(name)",
        problem: "rows of a \(table.isVirtual ? "virtual" : "WITHOUT ROWID") table have no row number",
        fix: "such tables can't be purged by this version")
    }
    let id = nextID
    nextID += 1
    let edges = graph.edges(to: name)
    if let loop = edges.first(where: { $0.child.lowercased() == name.lowercased() }) {
      throw TaskError(
        code: "reference_cycle", place: "table \(name)",
        problem: "its column \(loop.columns.joined(separator: ", ")) refers to the table itself",
        fix: "tables that refer to themselves can't be purged by this version")
    }
    let deleted = edges.filter { $0.action == .delete }
    let leaves = deleted.filter { isLeaf($0, closure: closure) }
    var children: [DeletionPass] = []
    for edge in ordered(deleted.filter { !isLeaf($0, closure: closure) }) {
      children.append(try pass(edge.child, .children(of: id, by: edge), closure: closure))
    }
    let unlinks = edges.filter { $0.action == .unlink }
    let holds = edges.filter { $0.action == .hold }
    for edge in leaves + unlinks where !graph.isIndexed(edge) && graph.catalogue[edge.child]?.rowNumber == nil {
      throw TaskError(
        code: "missing_index", place: "table \(edge.child)",
        problem: "each deleted row of \(name) would need a scan of this table",
        fix: "create an index: \(edge.indexStatement)")
    }
    var isRule = false
    if case .condition = selection { isRule = true }
    return DeletionPass(
      id: id, table: table, rowNumber: rowNumber, selection: selection, timeColumn: timeColumns[name.lowercased()],
      leaves: leaves, unlinks: unlinks, holds: holds, children: children, excepted: excepted,
      isDirect: isRule && holds.isEmpty && children.isEmpty && (leaves + unlinks).allSatisfy { graph.isIndexed($0) }
        && !([name] + (leaves + unlinks).map(\.child)).contains { excepted.concern($0) }
        && Set((leaves + unlinks).map { $0.child.lowercased() }).count == leaves.count + unlinks.count)
  }

  /// A child goes in its parent's batch where nothing refers to it and it holds no other table that goes with it.
  private func isLeaf(_ edge: DeletionEdge, closure: Set<String>) -> Bool {
    graph.edges(to: edge.child).isEmpty
      && !closure.contains { table in
        table != edge.parent.lowercased()
          && graph.edges(to: table).contains {
            $0.child.lowercased() == edge.child.lowercased() && $0.action == .hold
          }
      }
  }

  /// Tables that hold others come before those they hold.
  private func ordered(_ edges: [DeletionEdge]) -> [DeletionEdge] {
    var result: [DeletionEdge] = []
    var rest = edges
    while !rest.isEmpty {
      let free = rest.firstIndex { candidate in
        !graph.edges(to: candidate.child).contains { holder in
          holder.action == .hold
            && rest.contains { $0.child != candidate.child && $0.child.lowercased() == holder.child.lowercased() }
        }
      }
      result.append(rest.remove(at: free ?? 0))
    }
    return result
  }
}
