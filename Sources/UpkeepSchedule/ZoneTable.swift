import Foundation
import Synchronization
import UpkeepCore

/// The changes of one zone's clocks, from the system's time zone database.
///
/// Foundation brings a database of its own, which is as old as the toolchain. Where the system has one it counts: it is
/// what `date` and everybody else on the machine goes by, and what an update of the system renews.
struct ZoneTable: Hashable, Sendable {
  /// The instants of all listed changes, ascending.
  private(set) var changes: [Int]
  /// The offset from each of those instants on, in seconds ahead of UTC.
  private(set) var offsets: [Int]
  /// The offset before the first.
  private(set) var firstOffset: Int
  /// What holds after the last; nothing means no more changes.
  private(set) var rule: ZoneRule?

  /// The offset at an instant.
  func offset(at instant: Int) -> Int {
    let count = changesThrough(instant)
    if count == changes.count, let rule { return rule.offset(at: instant) }
    return count == 0 ? firstOffset : offsets[count - 1]
  }

  /// The first change after an instant, and the offset from then on.
  func change(after instant: Int) -> (at: Int, offset: Int)? {
    let count = changesThrough(instant)
    return count < changes.count ? (changes[count], offsets[count]) : rule?.change(after: instant)
  }

  /// How many of the listed changes have come by an instant, that instant included.
  private func changesThrough(_ instant: Int) -> Int {
    var (low, high) = (0, changes.count)
    while low < high {
      let middle = (low + high) / 2
      if changes[middle] <= instant { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension ZoneTable {
  /// The table of a zone's name; nothing where the system has none.
  ///
  /// Each is read once: an update of the system's database counts from the next start.
  static func named(_ name: String) -> ZoneTable? {
    read.withLock { read in
      if let known = read[name] { return known }
      let table = name == "GMT" || name == "UTC" ? ZoneTable(firstOffset: 0) : load(name)
      read[name] = .some(table)
      return table
    }
  }

  private static let read = Mutex<[String: ZoneTable?]>([:])

  /// Where systems keep the database.
  static let folders = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"]

  private static func load(_ name: String) -> ZoneTable? {
    guard !name.split(separator: "/", omittingEmptySubsequences: false).contains(where: { $0.isEmpty || $0 == ".." })
    else { return nil }
    for folder in folders {
      if let bytes = FileManager.default.contents(atPath: "\(folder)/\(name)") { return ZoneTable(file: Array(bytes)) }
    }
    return nil
  }

  /// A zone whose clocks never change.
  init(firstOffset: Int) {
    self.init(changes: [], offsets: [], firstOffset: firstOffset, rule: nil)
  }

  /// Reads a zone file (TZif, RFC 9636); nothing for anything else, or one that counts leap seconds.
  init?(file: [UInt8]) {
    var reader = ZoneFileReader(bytes: file)
    guard let first = reader.header() else { return nil }
    guard first.version >= UInt8(ascii: "2") else {
      guard let block = reader.block(first, width: 4) else { return nil }
      self.init(block, rule: nil)
      return
    }
    guard reader.skip(first.size(width: 4)), let second = reader.header(), let block = reader.block(second, width: 8)
    else { return nil }
    let footer = reader.footer()
    let rule = ZoneRule(footer)
    guard rule != nil || footer.isEmpty else { return nil }
    self.init(block, rule: rule)
  }

  private init(_ block: ZoneFileReader.Block, rule: ZoneRule?) {
    self.init(firstOffset: block.firstOffset)
    self.rule = rule
    for (at, offset) in block.changes where offset != (offsets.last ?? firstOffset) {
      changes.append(at)
      offsets.append(offset)
    }
  }
}
