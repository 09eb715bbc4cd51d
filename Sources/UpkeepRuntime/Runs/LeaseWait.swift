import UpkeepCore
import UpkeepRuns

/// What a run does when somebody stands in its way: the rules `overlap` and `on_conflict` as a pure function.
enum LeaseWait: Equatable {
  /// It doesn't start.
  case skip(String)
  /// It waits, and asks these runs to stop.
  case wait(cancelling: [String])

  static func decide(_ holders: [LeaseHolder], plan: RunMachine.Plan) -> LeaseWait {
    let same = holders.filter { $0.task == plan.task }
    let others = holders.filter { $0.task != plan.task }
    var cancelling: [String] = []
    if !same.isEmpty {
      switch plan.rules.overlap {
      case .queue where same.contains(where: \.isWaiting) && plan.waits != true:
        return .skip(inTheWay(same.filter(\.isWaiting), of: plan.task) + ", and at most one waits")
      case .cancelPrevious where plan.waits != false:
        cancelling = same.map(\.runID)
      case .queue where plan.waits != false:
        break
      default:
        if plan.waits != true { return .skip(inTheWay(same, of: plan.task)) }
      }
    }
    if !others.isEmpty, plan.waits == false || (plan.rules.onConflict == .skip && plan.waits != true) {
      return .skip(inTheWay(others, of: plan.task))
    }
    return .wait(cancelling: cancelling)
  }

  /// What stands in the way where nobody in particular does.
  static let full = "as many runs work as host.max_concurrent_runs lets"

  /// `scraping, which must not run at the same time, is running (run 01…, pid 12 on box-1)`
  static func inTheWay(_ holders: [LeaseHolder], of task: String) -> String {
    guard let first = holders.first else { return full }
    let name = first.task == task ? task : "\(first.task), which must not run at the same time,"
    let state = first.isWaiting ? "is waiting already" : "is running"
    let more = holders.count == 1 ? "" : " and \(holders.count - 1) more"
    return "\(name) \(state) (run \(first.runID), pid \(first.owner.pid) on \(first.owner.host))\(more)"
  }
}
