import UpkeepCore

/// The data of a `progress` event: what moves while a run works.
struct ProgressNote: Encodable {
  struct Table: Encodable {
    var table: String
    var deleted: Int
  }

  var runID: String
  var task: String
  var status: RunStatus
  var percent: Double
  var message: String
  var counts: [String: Int]
  var tables: [Table]

  enum CodingKeys: String, CodingKey {
    case task, status, percent, message, counts, tables
    case runID = "run_id"
  }

  init(_ result: RunResult) {
    runID = result.runID
    task = result.task
    status = result.status
    percent = result.progress.percent
    message = result.progress.message
    counts = result.counts
    tables = result.tables.map { Table(table: $0.table, deleted: $0.deleted) }
  }
}
