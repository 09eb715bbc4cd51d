import UpkeepCore
import UpkeepRuns

/// What one named task or group gave.
enum RunDocument: Encodable {
  case run(RunResult)
  case group(GroupResult)

  /// The results in it.
  var results: [RunResult] {
    switch self {
    case .run(let result): [result]
    case .group(let group): group.results
    }
  }

  func encode(to encoder: any Encoder) throws {
    switch self {
    case .run(let result): try result.encode(to: encoder)
    case .group(let group): try group.encode(to: encoder)
    }
  }
}

/// What several named tasks and groups gave, in order.
struct RunDocuments: Encodable {
  let documents: [RunDocument]

  enum CodingKeys: String, CodingKey {
    case results
    case schemaVersion = "schema_version"
  }

  func encode(to encoder: any Encoder) throws {
    if documents.count == 1, let only = documents.first { return try only.encode(to: encoder) }
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(RunResult.schemaVersion, forKey: .schemaVersion)
    try container.encode(documents, forKey: .results)
  }
}
