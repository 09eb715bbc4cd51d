import ArgumentParser
import Foundation
import UpkeepCore
import UpkeepHost
import UpkeepRuns

struct CancelCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel",
    abstract: "Ask a run to stop, whichever process runs it.",
    discussion: """
      A run stops between two batches: what it has deleted by then stays deleted.

      EXAMPLES:
        upkeep cancel 01KAJ5T3               the id, or how it begins
      """)

  @Argument(help: ArgumentHelp("The run's id, or how it begins.", valueName: "run"))
  var runID: String

  @OptionGroup var options: GlobalOptions

  private struct Document: Encodable {
    let runID: String
    let status: String
    let requested: Bool

    enum CodingKeys: String, CodingKey {
      case status, requested
      case runID = "run_id"
    }
  }

  func execute(_ console: Console) async throws -> ExitStatus {
    let host = try loadStoreHost()
    let store = try await host.existingStore()
    let record = try await RunFinder.find(runID, in: store)
    let result = record.result
    let requested =
      try await store?.requestCancel(
        result.runID, by: "\(NSUserName()) (pid \(ProcessInfo.processInfo.processIdentifier))") ?? false
    if options.json {
      try console.printJSON(Document(runID: result.runID, status: result.status.rawValue, requested: requested))
    } else if requested {
      console.print(["asked run \(result.runID) of \(result.task) to stop"])
    } else {
      let status = result.status.rawValue.replacing("_", with: " ")
      console.print(["run \(result.runID) of \(result.task) doesn't run any more: \(status)"])
    }
    return .done
  }
}
