import UpkeepDatabase

@testable import UpkeepPurge

/// What a plan must do to a scene, by sets and nothing else: no order, no batches, no SQL.
struct SceneOracle {
  /// A row: the place of its table and its own in it.
  struct Place: Hashable {
    var table: Int
    var row: Int
  }

  let scene: RandomScene
  private(set) var rows: [[RandomScene.Row]]
  private(set) var counts: [String: Int] = [:]
  private(set) var held: [Int] = []
  private(set) var excepted: [Int] = []

  init(_ scene: RandomScene, _ rows: [[RandomScene.Row]]) {
    self.scene = scene
    self.rows = rows
    held = scene.tables.map { _ in 0 }
    excepted = held
    for rule in scene.rules { apply(rule.table, isUnreferenced: rule.isUnreferenced) }
  }

  private func folded(_ value: [DatabaseValue], _ table: Int) -> [DatabaseValue] {
    zip(value, scene.tables[table].keys).map { value, key in
      if key.isCaseless, case .text(let text) = value { .text(text.lowercased()) } else { value }
    }
  }

  private mutating func apply(_ table: Int, isUnreferenced: Bool) {
    // Who refers to whom, and how.
    var links: [Place: [(child: Place, action: EdgeAction)]] = [:]
    for (child, description) in scene.tables.enumerated() {
      for (number, reference) in description.references.enumerated() {
        let parents = Dictionary(
          uniqueKeysWithValues: rows[reference.parent].enumerated().map { (folded($1.key, reference.parent), $0) })
        for (index, row) in rows[child].enumerated() {
          guard let value = row.references[number], let parent = parents[folded(value, reference.parent)] else {
            continue
          }
          links[Place(table: reference.parent, row: parent), default: []]
            .append((Place(table: child, row: index), reference.action))
        }
      }
    }
    func closure(_ roots: Set<Place>) -> Set<Place> {
      var found = roots
      var work = Array(roots)
      while let place = work.popLast() {
        for link in links[place] ?? [] where link.action == .delete && found.insert(link.child).inserted {
          work.append(link.child)
        }
      }
      return found
    }
    func isExcepted(_ place: Place) -> Bool {
      scene.excepted.contains(place.table) && rows[place.table][place.row].isKept
    }
    func free(_ roots: Set<Place>, excepting: Bool) -> Set<Place> {
      var roots = roots
      while true {
        let going = closure(roots)
        let stuck = going.filter { place in
          (excepting && isExcepted(place))
            || (links[place] ?? []).contains { link in
              (link.action == .hold && !going.contains(link.child))
                || (excepting && link.action == .unlink && isExcepted(link.child))
            }
        }
        let left = roots.filter { closure([$0]).isDisjoint(with: stuck) }
        if left == roots { return roots }
        roots = left
      }
    }
    let selected = Set(
      rows[table].indices.filter { isUnreferenced || rows[table][$0].isOld }.map { Place(table: table, row: $0) })
    let unheld = free(selected, excepting: false)
    let going = free(selected, excepting: true)
    let kept = unheld.filter { root in
      closure([root]).contains { place in
        isExcepted(place) || (links[place] ?? []).contains { $0.action == .unlink && isExcepted($0.child) }
      }
    }
    excepted[table] += kept.count
    if !isUnreferenced { held[table] += selected.count - going.count - kept.count }
    let all = closure(going)
    for place in all { counts["\(scene.tables[place.table].name)_deleted", default: 0] += 1 }
    unlink(all)
    rows = rows.enumerated().map { table, rows in
      rows.enumerated().filter { !all.contains(Place(table: table, row: $0.offset)) }.map(\.element)
    }
  }

  /// Rows that stay lose what they referred to.
  private mutating func unlink(_ all: Set<Place>) {
    for (child, description) in scene.tables.enumerated() {
      for (number, reference) in description.references.enumerated() where reference.action == .unlink {
        let gone = Set(
          rows[reference.parent].indices.filter { all.contains(Place(table: reference.parent, row: $0)) }
            .map { folded(rows[reference.parent][$0].key, reference.parent) })
        for index in rows[child].indices where !all.contains(Place(table: child, row: index)) {
          guard let value = rows[child][index].references[number], gone.contains(folded(value, reference.parent))
          else { continue }
          rows[child][index].references[number] = nil
          counts["\(description.name)_unlinked", default: 0] += 1
        }
      }
    }
  }
}
