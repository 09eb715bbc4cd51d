import UpkeepCore
import UpkeepDatabase

extension BatchWalk {
  /// Deletes rows that nothing holds in the order of their table, or in slabs where that is less to write.
  mutating func deleteDirectly(
    _ pass: DeletionPass, _ condition: RowCondition, extent: RowExtent, graph: DeletionGraph
  ) async throws {
    if try await hasTriggers([pass]) {
      try await walk(DirectBatches(pass, condition, extent: extent))
    } else if let scattered = try await purge.session.perform({
      try ScatteredIndex(pass, condition, extent: extent, on: $0)
    }) {
      try await walkSlabs(of: pass, condition, extent: extent, graph: graph, order: scattered)
    } else {
      try await walk(DirectBatches(pass, condition, extent: extent, ranges: graph))
    }
  }

  /// Batches for the children that lie scattered over their table: they go first, in the order of their own table.
  func scatteredLeaves(
    of pass: DeletionPass, _ condition: RowCondition, extent: RowExtent, graph: DeletionGraph
  ) async throws -> [ScatteredBatches] {
    try await purge.session.transaction(.scratch) { connection in
      let edges = try pass.leaves.filter { edge in
        try ScatterSample(edge, of: pass, condition, extent: extent, graph: graph, on: connection)?.isScattered ?? false
      }
      return try edges.compactMap { edge in
        try ScatteredBatches(edge, of: pass, condition, graph: graph, on: connection)
      }
    }
  }

  /// Deletes slab after slab: what belongs to its rows first, in the order of the table, then the rows in the order of an
  /// index.
  private mutating func walkSlabs(
    of pass: DeletionPass, _ condition: RowCondition, extent: RowExtent, graph: DeletionGraph, order: ScatteredIndex
  ) async throws {
    let batches = SlabBatches(pass, condition, extent: extent, order: order)
    let size = SlabBatches.size(for: extent.rows)
    var (cursor, paces) = (extent.first - 1, (children: BatchGovernor.Pace(), rows: BatchGovernor.Pace()))
    while stop == nil {
      let from = cursor
      let slab = try await purge.session.transaction(.read) { connection in
        try batches.list(after: from, through: extent.last, rows: size, on: connection)
      }
      guard let slab else { return }
      if !pass.leaves.isEmpty || !pass.unlinks.isEmpty {
        governor.beginWalk(at: paces.children)
        try await walk(
          DirectBatches(pass, condition, extent: slab, ranges: graph, keepsParents: true), isBegun: true)
        paces.children = governor.pace
        guard stop == nil else { return }
      }
      governor.beginWalk(at: paces.rows)
      try await walk(batches, isBegun: true)
      paces.rows = governor.pace
      cursor = slab.last
    }
  }
}
