public import UpkeepCore

/// Removes expired uploads from the folder of a TUS server.
///
/// An upload is data and a sidecar of a known layout beside it. Only unfinished ones go, after their expiry, when nothing
/// was written for a while and, where the server has a lock, under that lock. Everything is done by handles of folders
/// and without following links, and no path out of a sidecar is ever opened.
public struct TusExpiryTask: DeletingTask, InspectableTask {
  /// Creates the task.
  public init() {}

  /// Most of what lies in an upload folder is meant to go.
  public static let isGuardedByDefault = false

  /// What is said of the plugin.
  public static let documentation = PluginDocumentation(
    summary: "Removes expired unfinished uploads of tuspyserver, tusd, @tus/file-store and rustus",
    sample: """
      tus_expiry:
        run_on_start: true
        interval: 10m
        settings:
          folder: /var/lib/app/uploads
          layout: auto              # or tuspyserver, tusd, node, rustus
          expire_after: 24h         # where a sidecar has no expiry of its own
          expire_from: creation     # or activity: the last byte that came
          completed: keep           # or expire, with completed_after: 30d
          quiet: 2m                 # nothing goes that was written to lately
      """,
    counts: SweepCounts.names, seenCounts: SweepCounts.seenNames)

  /// Removes what has expired.
  public func run(_ settings: TusExpirySettings, in context: TaskContext) async throws {
    guard let root = try await open(settings, in: context) else { return }
    try await UploadSweep(root, settings: settings, in: context).run()
  }

  /// Counts what a run would remove.
  public func preview(_ settings: TusExpirySettings, in context: TaskContext) async throws {
    guard let root = try await open(settings, in: context) else { return }
    try await UploadSweep(root, settings: settings, in: context).run()
  }

  /// Uploads by layout, with the oldest and the newest.
  public func statistics(_ settings: TusExpirySettings, in context: TaskContext) async throws -> Statistics {
    guard let root = try UploadRoot.open(settings.folder) else { return Statistics() }
    let sweep = UploadSweep(root, settings: settings, in: context)
    try await sweep.run()
    let items = TusLayout.allCases.compactMap { layout in
      sweep.report.tallies[layout].map {
        Statistics.Item(name: layout.rawValue, count: $0.uploads, oldest: $0.oldest, newest: $0.newest)
      }
    }
    var counts: [String: JSONValue] = ["kind": .string("counts")]
    for (name, count) in sweep.report.counts.values { counts[name] = .integer(count) }
    return Statistics(items: items, details: [.object(counts)])
  }

  /// Opens the folder and takes down where it lies, for the next run.
  private func open(_ settings: TusExpirySettings, in context: TaskContext) async throws -> UploadRoot? {
    try Task.checkCancellation()
    guard context.exceptions.allSatisfy({ $0.database != nil }) else {
      throw TaskError(
        code: "bad_exception", place: "task \(context.task)",
        problem: "except names rows of tables, but uploads are files",
        fix: "remove except")
    }
    let last = try await context.lastCompleted().flatMap(FolderPlace.init)
    guard let root = try UploadRoot.open(settings.folder) else {
      // What is known of its place is kept, for when it is there again.
      if let last, last.path == FolderPath(settings.folder.text).text { context.detail(FolderPlace.kind, last.detail) }
      var report = SweepReport()
      report.finish(context)
      let message = "There is no folder \(settings.folder.text): nothing to do"
      // The server makes it with its first upload; who looks at a preview may have mistyped it.
      if context.mode == .preview { context.warn(message) }
      context.report(1, message)
      return nil
    }
    if settings.deviceChange == .refuse { try root.place.check(since: last) }
    context.detail(FolderPlace.kind, root.place.detail)
    return root
  }
}
