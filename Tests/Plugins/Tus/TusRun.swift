import Foundation
import UpkeepCore
import UpkeepSchedule
import UpkeepTestKit

@testable import TusExpiryPlugin

/// A run of the task on a folder, and what it reported.
struct TusRun {
  var counts: [String: Int] = [:]
  var contents = RunJournal().current

  /// Runs or previews.
  ///
  /// - Parameter interrupt: Called at the moments of a sweep at which something may happen.
  static func make(
    _ folder: UploadFolder, mode: RunMode = .run, last: RunResult? = nil, limits: RunLimits = RunLimits(),
    _ change: (inout TusExpirySettings) -> Void = { _ in },
    interrupt: ((UploadSweep.Moment) throws -> Void)? = nil
  ) async throws -> TusRun {
    var settings = TusExpirySettings()
    settings.folder = SettingPath(folder.path)
    settings.timeZone = .standard
    change(&settings)
    let journal = RunJournal()
    let context = TaskContext.test(
      task: "tus_expiry", mode: mode, now: UploadFolder.now, journal: journal, limits: limits, lastCompleted: { last })
    if let interrupt {
      guard let root = try UploadRoot.open(settings.folder) else { return TusRun() }
      let sweep = UploadSweep(root, settings: settings, in: context)
      sweep.interrupt = interrupt
      try await sweep.run()
    } else if mode == .run {
      try await TusExpiryTask().run(settings, in: context)
    } else {
      try await TusExpiryTask().preview(settings, in: context)
    }
    return TusRun(counts: journal.current.counts.filter { $0.value != 0 }, contents: journal.current)
  }

  /// The details of a kind.
  func details(_ kind: String) -> [[String: JSONValue]] {
    contents.details.compactMap { detail in
      guard case .object(let values) = detail, values["kind"] == .string(kind) else { return nil }
      return values
    }
  }

  /// The odd files that it names, with the reasons.
  var odd: [String] {
    details("odd_file").map { "\($0["path"]?.text ?? ""): \($0["reason"]?.text ?? "")" }.sorted()
  }
}
