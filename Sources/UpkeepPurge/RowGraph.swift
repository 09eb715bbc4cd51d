/// Which of the listed rows go and in which order, where rows refer to each other in any way: chains, diamonds, cycles.
///
/// A row of the rule goes where everything that it takes along may go. What may not, and what it refers to, stays; what
/// only rows that stay would have taken along stays, too, and may keep further rows: this is repeated until nothing
/// changes, which leaves the largest set of rows that can go without a reference that leads nowhere.
///
/// Nothing here calls itself, so that a chain may be as long as it likes. A row costs about 20 bytes and a reference 10.
struct RowGraph: Sendable {
  /// What a reference means for the row that it leads to.
  enum Link: UInt8, Sendable {
    /// The referring row goes with it.
    case takes
    /// The referring row must be gone before it.
    case holds
    /// The referring row goes before it where it goes, and loses the reference where it stays.
    case follows
  }

  /// What becomes of the rows.
  struct Verdict: Sendable {
    /// By row: its place in the order, from 1; 0 where it stays. Rows that refer to each other in a ring share a place,
    /// and a row that refers to another has a place before it.
    var places: [Int32]
    /// By row: the row that it goes with, which goes as well; itself where the rule selects it.
    var takers: [Int32]
    /// Rows of the rule that stay since others that stay refer to them, or to what they would take along.
    var held = 0
    /// Rows of the rule that stay for an exception alone.
    var excepted = 0
  }

  /// The first so many rows are the rule's own.
  let roots: Int
  let count: Int
  private var children: [Int32] = []
  private var parents: [Int32] = []
  private var links: [Link] = []

  init(count: Int, roots: Int) {
    self.count = count
    self.roots = roots
  }

  /// Takes note of a reference from one row to another.
  mutating func add(from child: Int32, to parent: Int32, _ link: Link) {
    guard child != parent else { return }
    children.append(child)
    parents.append(parent)
    links.append(link)
  }

  /// Decides.
  ///
  /// - Parameters:
  ///   - held: Rows that others refer to which stay whatever happens.
  ///   - excepted: Rows that an exception keeps.
  func verdict(held: [Int32], excepted: [Int32]) -> Verdict {
    let (up, down) = (Adjacency(from: children, to: parents, count), Adjacency(from: parents, to: children, count))
    var goes = [Bool](repeating: true, count: count)
    settle(held, up, down, &goes)
    var verdict = Verdict(places: [], takers: [])
    let kept = thoseTaking(excepted.filter { goes[Int($0)] }, up, goes)
    verdict.excepted = kept.count { $0 < roots }
    settle(kept, up, down, &goes)
    verdict.held = goes[..<roots].count { !$0 } - verdict.excepted
    verdict.places = places(down, goes)
    verdict.takers = takers(down, goes)
    return verdict
  }

  /// The rows given, and all that would take them along.
  private func thoseTaking(_ rows: [Int32], _ up: Adjacency, _ goes: [Bool]) -> [Int32] {
    var seen = Set(rows)
    var found = Array(seen)
    var next = 0
    while next < found.count {
      for entry in up.entries(of: found[next]) where links[up.link(entry)] == .takes {
        let parent = up.target(entry)
        if goes[Int(parent)], seen.insert(parent).inserted { found.append(parent) }
      }
      next += 1
    }
    return found
  }

  /// Lets rows stay, and all that must stay with them.
  private func settle(_ rows: [Int32], _ up: Adjacency, _ down: Adjacency, _ goes: inout [Bool]) {
    var work: [Int32] = []
    func stay(_ row: Int32) {
      guard goes[Int(row)] else { return }
      goes[Int(row)] = false
      work.append(row)
    }
    rows.forEach(stay)
    repeat {
      while let row = work.popLast() {
        for entry in up.entries(of: row) where links[up.link(entry)] != .follows { stay(up.target(entry)) }
      }
      let takers = takers(down, goes)
      for row in 0..<count where goes[row] && takers[row] < 0 { stay(Int32(row)) }
    } while !work.isEmpty
  }

  /// By row: the row that it goes with, itself where the rule selects it; -1 where no row takes it along.
  private func takers(_ down: Adjacency, _ goes: [Bool]) -> [Int32] {
    var takers = [Int32](repeating: -1, count: count)
    var work: [Int32] = []
    for root in 0..<roots where goes[root] {
      takers[root] = Int32(root)
      work.append(Int32(root))
    }
    while let row = work.popLast() {
      for entry in down.entries(of: row) where links[down.link(entry)] == .takes {
        let child = down.target(entry)
        guard goes[Int(child)], takers[Int(child)] < 0 else { continue }
        takers[Int(child)] = row
        work.append(child)
      }
    }
    return takers
  }

  /// Tarjan's algorithm for strongly connected components, from a row down to those that refer to it: it finishes a ring
  /// only after everything that refers to it, which is the order wanted.
  private func places(_ down: Adjacency, _ goes: [Bool]) -> [Int32] {
    var places = [Int32](repeating: 0, count: count)
    var numbers = [Int32](repeating: 0, count: count)
    var lowest = [Int32](repeating: 0, count: count)
    var (number, place) = (Int32(0), Int32(0))
    var open: [Int32] = []
    var path: [(row: Int32, next: Int)] = []
    func enter(_ row: Int32) {
      number += 1
      numbers[Int(row)] = number
      lowest[Int(row)] = number
      open.append(row)
      path.append((row, down.entries(of: row).lowerBound))
    }
    for start in 0..<count where goes[start] && numbers[start] == 0 {
      enter(Int32(start))
      while let (row, next) = path.last {
        if next < down.entries(of: row).upperBound {
          path[path.count - 1].next += 1
          let child = down.target(next)
          guard goes[Int(child)] else { continue }
          if numbers[Int(child)] == 0 {
            enter(child)
          } else if places[Int(child)] == 0 {
            lowest[Int(row)] = min(lowest[Int(row)], numbers[Int(child)])
          }
          continue
        }
        path.removeLast()
        if let above = path.last?.row { lowest[Int(above)] = min(lowest[Int(above)], lowest[Int(row)]) }
        guard lowest[Int(row)] == numbers[Int(row)] else { continue }
        place += 1
        while let member = open.popLast() {
          places[Int(member)] = place
          if member == row { break }
        }
      }
    }
    return places
  }
}

/// The references of each row, side by side.
private struct Adjacency {
  private var starts: [Int32]
  private var order: [Int32]
  private let targets: [Int32]

  init(from sources: [Int32], to targets: [Int32], _ count: Int) {
    self.targets = targets
    starts = [Int32](repeating: 0, count: count + 1)
    for source in sources { starts[Int(source) + 1] += 1 }
    for row in 0..<count { starts[row + 1] += starts[row] }
    order = [Int32](repeating: 0, count: sources.count)
    var next = starts
    for (link, source) in sources.enumerated() {
      order[Int(next[Int(source)])] = Int32(link)
      next[Int(source)] += 1
    }
  }

  func entries(of row: Int32) -> Range<Int> {
    Int(starts[Int(row)])..<Int(starts[Int(row) + 1])
  }

  func link(_ entry: Int) -> Int { Int(order[entry]) }
  func target(_ entry: Int) -> Int32 { targets[Int(order[entry])] }
}
