import UpkeepCore
import UpkeepDatabase

/// Between which row numbers the selected rows lie.
struct RowExtent: Sendable {
  var first: Int64
  var last: Int64
  /// How many rows may be selected, at the most.
  var rows: Int64
  /// Whether so many of the rows between are selected that walking over all of them is right.
  var isDense: Bool
  /// Whether the last number is that of the table, and the selected rows may end well before it.
  private(set) var isOpen = false

  /// An extent that was looked up otherwise.
  init(first: Int64, last: Int64, rows: Int64) {
    // A walk begins before the first number, which the lowest that there is doesn't allow.
    (self.first, self.last, self.rows, isDense) = (first, last, rows, first > .min)
  }

  /// Looks them up in the index of the condition's time column, or takes the whole table where there is none.
  ///
  /// Where an eighth of all numbers is old, the ends are looked for in the order of the table: to read all that is old in
  /// the index only for them would take longer.
  ///
  /// - Parameter seeksEnd: Whether the last of them is looked for even if it lies far from the end of the table, which
  ///   takes as long as to read all behind it. Otherwise ``seekEnd(of:_:on:)`` can do so later.
  init?(
    _ pass: DeletionPass, _ condition: RowCondition, seeksEnd: Bool = true, on connection: any DatabaseConnection
  ) throws {
    let (table, number) = (SQL.quoted(pass.table.name), pass.rowNumber)
    let ends = "SELECT (SELECT min(\(number)) FROM \(table)), (SELECT max(\(number)) FROM \(table))"
    guard let all = try connection.first(ends), let lowest = all[0].integer, let highest = all[1].integer else {
      return nil
    }
    guard let bound = condition.timeBound, pass.table.hasIndex(on: [bound.column]) else {
      self.init(first: lowest, last: highest, rows: Self.span(lowest, highest))
      return
    }
    let isOld = "WHERE t.\(SQL.quoted(bound.column)) < ?1"
    let isOldScanned = "WHERE +t.\(SQL.quoted(bound.column)) < ?1"
    let (span, values) = (Self.span(lowest, highest), [bound.value])
    let enough = span / 8 + 1
    var old = Int64(0)
    let looksDense = try Self.looksDense(pass, lowest, span, isOldScanned, values, on: connection)
    if !looksDense {
      old = try connection.integer(
        "SELECT count(*) FROM (SELECT 1 FROM \(table) t \(isOld) LIMIT ?2)", values + [.integer(enough)])
    }
    if looksDense || old >= enough {
      // Without the plus the text would be looked at as a number first, for each row.
      let sql = "SELECT t.\(number) FROM \(table) t NOT INDEXED \(isOldScanned) ORDER BY t.\(number) LIMIT 1"
      guard let first = try connection.first(sql, values)?[0].integer else { return nil }
      self.init(first: first, last: highest, rows: Self.span(first, highest))
      isOpen = true
      let last = highest.stepped(by: -Self.glance, downTo: first)
      try seekEnd(of: pass, condition, from: seeksEnd ? first : last, on: connection)
      return
    }
    let row = try connection.first("SELECT min(t.\(number)), max(t.\(number)) FROM \(table) t \(isOld)", values)
    guard let first = row?[0].integer, let last = row?[1].integer else { return nil }
    self.init(first: first, last: last, rows: old)
    isDense = isDense && Self.span(first, last) / 8 <= old
  }

  /// How many of the last numbers are looked at for an old row, however many there are behind the last one.
  private static let glance: Int64 = 16_384

  /// Looks for the last row before the bound of the condition's time column, which is there.
  ///
  /// - Parameter number: Below this number it isn't looked for; nor below the first one, unless given.
  mutating func seekEnd(
    of pass: DeletionPass, _ condition: RowCondition, from number: Int64? = nil, on connection: any DatabaseConnection
  ) throws {
    guard isOpen, let bound = condition.timeBound else { return }
    let sql =
      "SELECT t.\(pass.rowNumber) FROM \(SQL.quoted(pass.table.name)) t NOT INDEXED "
      + "WHERE +t.\(SQL.quoted(bound.column)) < ?1 AND t.\(pass.rowNumber) >= ?2 ORDER BY t.\(pass.rowNumber) DESC LIMIT 1"
    guard let end = try connection.first(sql, [bound.value, .integer(number ?? first)])?[0].integer else { return }
    (last, rows, isOpen) = (end, Self.span(first, end), false)
  }

  /// Whether so many of a few numbers, evenly spread, are those of old rows that there is no need to count.
  private static func looksDense(
    _ pass: DeletionPass, _ lowest: Int64, _ span: Int64, _ isOld: String, _ values: [DatabaseValue],
    on connection: any DatabaseConnection
  ) throws -> Bool {
    let looks = Int64(64)
    guard span >= 64 * looks else { return false }
    let number = pass.rowNumber
    let sql =
      "SELECT count(*) FROM json_each(?2) n CROSS JOIN \(SQL.quoted(pass.table.name)) t ON t.\(number) = n.value \(isOld)"
    let numbers = (0..<looks).map { "\(lowest + span / looks * $0)" }.joined(separator: ",")
    return try connection.integer(sql, values + [.text("[\(numbers)]")]) >= looks / 4
  }

  /// A number that lies so many quarters on the way.
  func quarter(_ quarters: Int64) -> Int64 {
    first.stepped(by: Self.span(first, last) / 4 * quarters, upTo: last)
  }

  /// Numbers that are looked at by one statement: between two of them a count can be cancelled.
  static let stretch: Int64 = 65_536
  private static let shortStretch: Int64 = 4096

  /// Goes through the numbers of one that is dense, a stretch after the other, with a fresh snapshot in between where it is
  /// time.
  ///
  /// - Parameter body: Gets the first number of a stretch, which a row has, the last, and whether the snapshot is another
  ///   one than at first; returns how many numbers to look at next, or nothing where it has seen enough.
  func forEachStretch(
    of pass: DeletionPass, renewing renewal: inout SnapshotRenewal?, on connection: any DatabaseConnection,
    _ body: (Int64, Int64, Bool) throws -> Int64?
  ) throws {
    // Numbers may lie far apart: from the end of a stretch it goes on with the next row.
    let (table, number) = (SQL.quoted(pass.table.name), pass.rowNumber)
    let next = "SELECT t.\(number) FROM \(table) t WHERE t.\(number) > ?1 AND t.\(number) <= ?2 ORDER BY 1 LIMIT 1"
    let snapshot = renewal?.count
    var (end, size) = (first - 1, Self.stretch)
    while let start = try connection.first(next, [.integer(end), .integer(last)])?[0].integer {
      end = start.stepped(by: size, upTo: last)
      guard let wanted = try body(start, end, renewal?.count != snapshot) else { return }
      size = min(Self.stretch, max(wanted, Self.shortStretch))
      try renewal?.renewIfOld(on: connection)
    }
  }

  /// How far it is from one number to another, at least 1.
  private static func span(_ first: Int64, _ last: Int64) -> Int64 {
    let (difference, isTooLarge) = last.subtractingReportingOverflow(first)
    return isTooLarge ? .max : max(1, difference)
  }
}

extension Int64 {
  /// The number so many steps before, but none below a limit.
  fileprivate func stepped(by steps: Int64, downTo limit: Int64) -> Int64 {
    let (end, isTooSmall) = addingReportingOverflow(steps)
    return isTooSmall ? limit : Swift.max(end, limit)
  }

  /// The number so many steps further on, but none beyond a limit.
  func stepped(by steps: Int64, upTo limit: Int64) -> Int64 {
    let (end, isTooLarge) = addingReportingOverflow(steps)
    return isTooLarge ? limit : Swift.min(end, limit)
  }
}
