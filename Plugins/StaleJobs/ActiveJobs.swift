import Foundation
import UpkeepCore
import UpkeepFetch

/// The jobs that the application itself says are active.
struct ActiveJobs {
  /// Where the list is, in an application that names only itself.
  static let path = "/api/jobs/active"
  /// The longest list that is read, in bytes.
  static let maxBytes = 4 << 20

  /// Their ids.
  let ids: Set<String>

  /// The address of the list; nothing where the text is no address. One without a path gets ``path``.
  static func address(_ text: String) -> String? {
    guard let parts = URLComponents(string: text), parts.scheme == "http" || parts.scheme == "https",
      parts.host?.isEmpty == false
    else { return nil }
    guard parts.path.isEmpty || parts.path == "/", parts.query == nil else { return text }
    return (text.hasSuffix("/") ? String(text.dropLast()) : text) + path
  }

  /// Asks the application.
  /// - Throws: ``UpkeepCore/TaskError`` where the list can't be had whole, or isn't one.
  static func fetch(_ settings: StaleJobsSettings, in context: TaskContext) async throws -> ActiveJobs {
    let request = FetchRequest(
      settings.livenessURL.flatMap(address) ?? "", timeout: settings.livenessTimeout, maxBytes: maxBytes)
    do {
      let response = try await context.fetcher().fetch(request)
      guard response.status == 200 else {
        throw TaskError(
          code: "fetch_status", place: request.label, problem: "expected status 200, found \(response.status)",
          fix: "check the address, and that the application is well")
      }
      return try ActiveJobs(json: response.body, from: request.label)
    } catch let error as TaskError {
      throw TaskError(
        code: error.code, place: error.place, problem: "\(error.problem), so that no job was marked", fix: error.fix)
    }
  }

  /// Reads a list of jobs, or an object that holds one under `jobs`; each job is an object with an `id` (or `job_id`),
  /// or the id itself.
  init(json body: [UInt8], from place: String) throws {
    let document = try? JSONDecoder().decode(JSONValue.self, from: Data(body))
    var list = document
    if case .object(let values)? = document { list = values["jobs"] }
    guard case .array(let jobs)? = list else { throw Self.wrongShape("a list of jobs", document, place) }
    var ids: Set<String> = []
    for job in jobs {
      guard let id = Self.id(of: job) else { throw Self.wrongShape("jobs with an id each", job, place) }
      ids.insert(id)
    }
    self.ids = ids
  }

  private static func id(of job: JSONValue) -> String? {
    switch job {
    case .string(let id): id.isEmpty ? nil : id
    case .integer(let id): "\(id)"
    case .object(let values): (values["id"] ?? values["job_id"]).flatMap { $0.isScalar ? Self.id(of: $0) : nil }
    default: nil
    }
  }

  private static func wrongShape(_ expected: String, _ found: JSONValue?, _ place: String) -> TaskError {
    let text = found.map { $0.text.prefix(100) } ?? "no JSON"
    return TaskError(
      code: "wrong_shape", place: place, problem: "expected \(expected), found \(text)",
      fix: "check that liveness_url is the application's list of active jobs")
  }
}

extension JSONValue {
  fileprivate var isScalar: Bool {
    switch self {
    case .object, .array: false
    default: true
    }
  }
}
