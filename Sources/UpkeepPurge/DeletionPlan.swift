public import UpkeepCore
import UpkeepDatabase

/// What goes, in which order: the one object that a preview counts and a run deletes by.
public struct DeletionPlan: Sendable {
  /// One rule and the passes over tables that carry it out.
  public struct Step: Sendable {
    /// The rule.
    public let rule: DeletionRule
    let root: DeletionPass
    /// How the tables refer to each other where that is no tree.
    let mesh: DeletionMesh?

    /// All that it does to tables.
    var passes: [DeletionPass] { mesh?.passes ?? root.tree }
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
    var times: [(String, TimeColumn)] = []
    for rule in rules {
      guard let column = rule.timeColumn else { continue }
      let table = graph.catalogue[rule.table]
      let time = try table.map { try TimeColumn(column, rule.timeForm, of: $0) }
      times.append((rule.table.schemaKey, time ?? TimeColumn(column, rule.timeForm)))
    }
    var planner = DeletionPlanner(
      graph: graph, excepted: excepted, timeColumns: Dictionary(times) { first, _ in first }, prefix: graph.prefix)
    steps = try rules.map { try planner.step($0) }
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
    /// The rows of a mesh that aren't the rule's own.
    case members
  }

  /// Tells passes of a plan apart, and names its temporary tables.
  let id: Int
  let table: TableDescription
  /// The columns that tell a row from all others: lists are keyed by them.
  let identity: [String]
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
  /// How the names of its temporary tables begin.
  let prefix: String

  /// Whether the rows can be walked in ranges of their number without listing them first: nothing can hold them, and all
  /// that belongs to them is found by an index. On a server the number is the first column of the key.
  let isDirect: Bool

  /// The row's number; a pass that asks for it must know that its rows have one.
  var rowNumber: String { identity[0] }

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
  let prefix: String
  var nextID = 0

  mutating func step(_ rule: DeletionRule) throws -> DeletionPlan.Step {
    let closure = try closure(of: rule.table)
    let condition = try rule.condition.resolved(in: closure[0])
    if closure[0].engine == .postgres, !isTree(closure) {
      throw TaskError(
        code: "unsupported_references", place: "table \(closure[0].name)",
        problem:
          "what goes with its rows refers to each other in a ring, or in several ways; on PostgreSQL that can't be "
          + "purged yet",
        fix: "name the tables that refer to it in rules of their own, before this one")
    }
    guard isTree(closure) else {
      var passes: [DeletionPass] = []
      for (index, table) in closure.enumerated() {
        let selection: DeletionPass.Selection = index == 0 ? .condition(condition) : .members
        passes.append(pass(table, selection, leaves: { _ in true }))
      }
      return DeletionPlan.Step(rule: rule, root: passes[0], mesh: DeletionMesh(passes))
    }
    let root = try pass(closure[0], .condition(condition))
    return DeletionPlan.Step(rule: rule, root: root, mesh: nil)
  }

  /// The tables whose rows go with rows of `table`, itself first.
  private func closure(of table: String) throws -> [TableDescription] {
    var found = [try self.table(table)]
    var next = 0
    while next < found.count {
      for edge in graph.edges(to: found[next].name) where edge.action != .hold {
        let child = try self.table(edge.child)
        if edge.action == .delete, !found.contains(where: { $0.name == child.name }) { found.append(child) }
      }
      next += 1
    }
    return found
  }

  /// Whether each table refers to one other of them only, and in one way only where others refer to it: then every row
  /// has one row that it goes with, and the tables can be gone through one after the other.
  private func isTree(_ closure: [TableDescription]) -> Bool {
    let members = Set(closure.map(\.name.schemaKey))
    let inner = closure.flatMap { graph.edges(to: $0.name) }.filter { members.contains($0.child.schemaKey) }
    return closure.allSatisfy { table in
      let edges = inner.filter { $0.child.schemaKey == table.name.schemaKey }
      return edges.allSatisfy { $0.action == .delete && $0.child.schemaKey != closure[0].name.schemaKey }
        && Set(edges.map(\.parent.schemaKey)).count <= 1 && (edges.count <= 1 || isLeaf(edges[0]))
    }
  }

  private func table(_ name: String) throws -> TableDescription {
    func refused(_ code: String, _ problem: String, _ fix: String) -> TaskError {
      TaskError(code: code, place: "table \(name)", problem: problem, fix: fix)
    }
    guard let table = graph.catalogue[name] else {
      throw switch graph.catalogue.otherKind(of: name) {
      case "view": refused("unsupported_table", "this is a view", "name the table that its rows lie in")
      case "partition":
        refused("unsupported_table", "this is a partition", "name the partitioned table that it belongs to")
      case "inherited":
        refused(
          "unsupported_table", "other tables inherit from it, whose rows would go with its own",
          "name each of those tables")
      case "ambiguous":
        refused(
          "unsupported_table", "another table's name differs from this one in capital letters only",
          "rename one of them")
      case "foreign":
        refused("unsupported_table", "this is a foreign table", "name the table on the server that it lies on")
      case "shadow":
        refused(
          "unsupported_table", "this is the inside of a virtual table", "name the table whose rows are indexed there")
      default:
        refused(
          "missing_table", "there is no such table in the database", "check that the task's database is the right one")
      }
    }
    if table.isVirtual {
      throw refused(
        "unsupported_table", "this is a virtual table, whose rows lie elsewhere",
        "name the table whose rows it shows, and let a trigger of that table keep it up to date")
    }
    guard table.identity != nil || table.engine == .sqlite else {
      throw refused(
        "unsupported_table", "it has neither a primary key nor a unique index on columns that are NOT NULL",
        "give it a primary key")
    }
    guard table.identity != nil else {
      throw refused(
        "unsupported_table", "its columns hide rowid, _rowid_ and oid, and it has no primary key without NULLs",
        "declare its primary key NOT NULL")
    }
    return table
  }

  private mutating func pass(_ table: TableDescription, _ selection: DeletionPass.Selection) throws -> DeletionPass {
    var children: [DeletionPass] = []
    let id = nextID
    nextID += 1
    for edge in graph.edges(to: table.name) where edge.action == .delete && !isLeaf(edge) {
      children.append(try pass(try self.table(edge.child), .children(of: id, by: edge)))
    }
    return pass(table, selection, id: id, leaves: isLeaf, children: children)
  }

  private mutating func pass(
    _ table: TableDescription, _ selection: DeletionPass.Selection, leaves isLeaf: (DeletionEdge) -> Bool
  ) -> DeletionPass {
    nextID += 1
    return pass(table, selection, id: nextID - 1, leaves: isLeaf, children: [], isMember: true)
  }

  private func pass(
    _ table: TableDescription, _ selection: DeletionPass.Selection, id: Int, leaves isLeaf: (DeletionEdge) -> Bool,
    children: [DeletionPass], isMember: Bool = false
  ) -> DeletionPass {
    let edges = graph.edges(to: table.name)
    let leaves = edges.filter { $0.action == .delete && isLeaf($0) }
    let unlinks = edges.filter { $0.action == .unlink }
    let holds = edges.filter { $0.action == .hold }
    var isRule = false
    if case .condition = selection { isRule = true }
    let isNumbered =
      table.rowNumber != nil || table.isNumberedOnServer(graph.catalogue, by: leaves + unlinks, selection)
    return DeletionPass(
      id: id, table: table, identity: table.identity ?? [], selection: selection,
      timeColumn: timeColumns[table.name.schemaKey], leaves: leaves, unlinks: unlinks, holds: holds,
      children: children, excepted: excepted, prefix: prefix,
      isDirect: isRule && !isMember && isNumbered && holds.isEmpty && children.isEmpty
        && (leaves + unlinks).allSatisfy { graph.isIndexed($0) }
        && !([table.name] + (leaves + unlinks).map(\.child)).contains { excepted.concern($0) }
        && Set((leaves + unlinks).map(\.child.schemaKey)).count == leaves.count + unlinks.count)
  }

  /// A child goes in its parent's batch where nothing refers to it.
  private func isLeaf(_ edge: DeletionEdge) -> Bool {
    graph.edges(to: edge.child).isEmpty
  }
}
