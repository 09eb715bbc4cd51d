import Synchronization
import UpkeepCore

/// What may be wrong with ``FaultyTask``.
enum Fault: String, SettingEnumeration {
  case none
  case previewWrites = "preview_writes"
  case previewCountsLess = "preview_counts_less"
  case leavesHalf = "leaves_half"
  case countsTwice = "counts_twice"
  case swallowsCancellation = "swallows_cancellation"
  case throwsAnotherError = "throws_another_error"
  case saysNoTotal = "says_no_total"
}

struct FaultySettings: TaskSettings {
  var fault = Fault.none
  static let fields: [SettingField<Self>] = [SettingField("fault", \.fault, "What is wrong with it")]
}

/// Rows in memory.
final class Rows: TaskResources {
  private let rows: Mutex<Set<Int>>

  init(_ count: Int) {
    rows = Mutex(Set(0..<count))
  }

  var all: Set<Int> { rows.withLock { $0 } }

  func delete(_ row: Int) {
    _ = rows.withLock { $0.remove(row) }
  }
}

/// Deletes the even rows, one at a time; wrong in the way that it is told to.
struct FaultyTask: DeletingTask {
  static let documentation = PluginDocumentation(
    summary: "Deletes even rows", sample: "faulty_task:   # wrong\n  plugin: faulty_task")

  func preview(_ settings: FaultySettings, in context: TaskContext) async throws {
    try Task.checkCancellation()
    guard let rows = context.resources as? Rows else { return }
    let doomed = rows.all.filter { $0.isMultiple(of: 2) }.count - (settings.fault == .previewCountsLess ? 1 : 0)
    context.add("rows_deleted", doomed)
    context.update(table: "rows") {
      $0.deleted = doomed
      $0.total = settings.fault == .saysNoTotal ? nil : rows.all.count
    }
    if settings.fault == .previewWrites { rows.delete(1) }
  }

  func run(_ settings: FaultySettings, in context: TaskContext) async throws {
    guard let rows = context.resources as? Rows else { return }
    var doomed = rows.all.filter { $0.isMultiple(of: 2) }.sorted()
    if settings.fault == .leavesHalf { doomed = Array(doomed.prefix((doomed.count + 1) / 2)) }
    for row in doomed {
      if settings.fault == .swallowsCancellation, Task.isCancelled { return }
      if settings.fault == .throwsAnotherError, Task.isCancelled {
        throw TaskError(code: "broken", place: "rows", problem: "cancelled", fix: "none")
      }
      try Task.checkCancellation()
      rows.delete(row)
      let number = settings.fault == .countsTwice ? 2 : 1
      context.add("rows_deleted", number)
      context.update(table: "rows") { $0.deleted += number }
      _ = context.clock.stopwatch()
    }
    try Task.checkCancellation()
  }
}
