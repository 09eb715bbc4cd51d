package import UpkeepCore

/// The partitions of one table that were dropped, or would be: the entries of kind `partition_dropped` in the `details` of
/// a result.
package struct DroppedPartitions: Hashable, Sendable {
  /// Partitions that people are told by name.
  private static let named = 3

  /// The table.
  package let table: String
  /// The partitions, in the order in which they went.
  package private(set) var partitions: [String] = []
  /// Their rows.
  package private(set) var rows = 0
  /// What comes free with them.
  package private(set) var bytes = 0

  /// Reads them off a result, a table after the other.
  package static func all(in result: RunResult) -> [DroppedPartitions] {
    var found: [DroppedPartitions] = []
    for case .object(let values) in result.details where values["kind"] == .string("partition_dropped") {
      guard case .string(let table)? = values["table"], case .string(let name)? = values["partition"] else { continue }
      let index = found.firstIndex { $0.table == table } ?? found.endIndex
      if index == found.endIndex { found.append(DroppedPartitions(table: table)) }
      found[index].partitions.append(name)
      if case .integer(let rows)? = values["rows"] { found[index].rows += rows }
      if case .integer(let bytes)? = values["bytes"] { found[index].bytes += bytes }
    }
    return found
  }

  private init(table: String) {
    self.table = table
  }

  /// `4 partitions of logs dropped, with 12,345 rows (5.6 MB): logs_1, logs_2, logs_3, 1 more`
  ///
  /// - Parameter would: Whether it is only said what a run would do.
  package func text(would: Bool) -> String {
    let more = partitions.count - Self.named
    let names = partitions.prefix(Self.named) + (more > 0 ? ["\(NumberText.grouped(more)) more"] : [])
    let what = "\(NumberText.counted(partitions.count, "partition")) of \(table)"
    return "\(what) \(would ? "would be dropped" : "dropped"), "
      + "with \(NumberText.counted(rows, "row")) (\(NumberText.bytes(bytes))): \(names.joined(separator: ", "))"
  }
}
