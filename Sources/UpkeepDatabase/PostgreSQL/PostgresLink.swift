import CLibPQ
import Foundation

/// A connection of libpq, used by one thread at a time.
///
/// Statements are sent without waiting, and the wait looks every few milliseconds whether somebody wants it to end:
/// then the server is asked to cancel the statement, again and again until it has, since a request that comes before the
/// statement began is lost.
final class PostgresLink {
  private let connection: OpaquePointer
  /// Statements that the server keeps prepared: those that came twice.
  private var prepared: [String: String] = [:]
  private var seen: Set<String> = []
  /// Statements as the server writes them, by their texts.
  private var statements: [String: PostgresStatement] = [:]
  /// Set by whoever uses the link now.
  var interrupt: PostgresInterrupt?

  /// Between two looks at whether a wait is to end, in milliseconds.
  private static let glance: Int32 = 10
  /// Statements that are kept prepared, at the most.
  private static let mostPrepared = 200

  /// Connects.
  ///
  /// - Parameters:
  ///   - settings: libpq's keywords and values, the later ones over the earlier.
  ///   - patience: How many milliseconds that may take.
  init(_ settings: [(keyword: String, value: String)], patience: Int32 = 10_000, interrupt: PostgresInterrupt?) throws {
    if let problem = libpq_problem() { throw MissingLibrary(message: String(cString: problem)) }
    let keywords = CStrings(settings.map(\.keyword)), values = CStrings(settings.map(\.value))
    let started = keywords.pointers.withUnsafeBufferPointer { keywords in
      values.pointers.withUnsafeBufferPointer { values in
        PQconnectStartParams(keywords.baseAddress, values.baseAddress, 1)
      }
    }
    withExtendedLifetime((keywords, values)) {}
    guard let started else { throw PostgresFault(message: "out of memory") }
    connection = started
    self.interrupt = interrupt
    // With the kind of error in front of the server's words.
    PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
    PQsetNoticeProcessor(connection, { _, _ in }, nil)
    var waited: Int32 = 0
    var state = PQstatus(connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
    while state != PGRES_POLLING_OK {
      if state == PGRES_POLLING_FAILED {
        throw PostgresFault(message: message, user: user)
      }
      if wait(for: state == PGRES_POLLING_READING ? POLLIN : POLLOUT) {
        state = PQconnectPoll(connection)
      } else {
        waited += Self.glance
      }
      if interrupt?.isSet ?? false { throw CancellationError() }
      if waited > patience { throw PostgresFault(message: "no answer within \(patience / 1000) s") }
    }
    PQsetErrorVerbosity(connection, PQERRORS_DEFAULT)
  }

  deinit {
    PQfinish(connection)
  }

  /// Whether the connection is known to be of no more use.
  var isLost: Bool { PQstatus(connection) != CONNECTION_OK }

  /// Whether a transaction was begun and not ended.
  var isInTransaction: Bool {
    let state = PQtransactionStatus(connection)
    return state == PQTRANS_INTRANS || state == PQTRANS_INERROR
  }

  var user: String { PQuser(connection).map { String(cString: $0) } ?? "" }

  private var message: String { String(cString: PQerrorMessage(connection)) }

  /// Executes statements without parameters, which may be several.
  func command(_ sql: String) throws {
    guard PQsendQuery(connection, sql) == 1 else { throw fault(sql) }
    _ = try results(of: sql) { _ in }
  }

  /// A statement as the server writes it.
  func statement(_ sql: String) -> PostgresStatement {
    if let known = statements[sql] { return known }
    if statements.count >= Self.mostPrepared { statements = [:] }
    let statement = PostgresStatement(sql)
    statements[sql] = statement
    return statement
  }

  /// Executes a statement.
  ///
  /// - Parameters:
  ///   - row: Told of each row while it comes in.
  /// - Returns: The number of rows that it changed, and the tag of the command.
  func execute(
    _ sql: String, _ values: [DatabaseValue], row: (PostgresRow) throws -> Void
  ) throws -> (rows: Int, tag: String) {
    if interrupt?.isSet ?? false { throw CancellationError() }
    let parameters = try values.map { try Parameter($0) }
    let texts = CStrings(parameters.map(\.text))
    let name = try preparedName(sql, parameters.map(\.type))
    let types = parameters.map(\.type)
    let sent = texts.pointers.withUnsafeBufferPointer { texts in
      guard let name else {
        return PQsendQueryParams(connection, sql, Int32(values.count), types, texts.baseAddress, nil, nil, 0)
      }
      return PQsendQueryPrepared(connection, name, Int32(values.count), texts.baseAddress, nil, nil, 0)
    }
    withExtendedLifetime(texts) {}
    guard sent == 1 else { throw fault(sql) }
    PQsetSingleRowMode(connection)
    return try results(of: sql, row)
  }

  /// The name under which the server keeps a statement; nothing for one that it doesn't keep.
  private func preparedName(_ sql: String, _ types: [Oid]) throws -> String? {
    let key = "\(types.map { String($0) }.joined(separator: ","))|\(sql)"
    if let name = prepared[key] { return name }
    guard !seen.insert(key).inserted else { return nil }
    if prepared.count >= Self.mostPrepared {
      try command("DEALLOCATE ALL")
      prepared = [:]
      seen = []
    }
    let name = "upkeep_\(prepared.count)"
    guard PQsendPrepare(connection, name, sql, Int32(types.count), types) == 1 else { throw fault(sql) }
    _ = try results(of: sql) { _ in }
    prepared[key] = name
    return name
  }

  /// Waits for what a statement gives.
  private func results(
    of sql: String, _ row: (PostgresRow) throws -> Void
  ) throws -> (rows: Int, tag: String) {
    var failure: (any Error)?
    var outcome = (rows: 0, tag: "")
    while let result = try next(sql) {
      defer { PQclear(result) }
      switch PQresultStatus(result) {
      case PGRES_SINGLE_TUPLE, PGRES_TUPLES_OK:
        for index in 0..<PQntuples(result) where failure == nil {
          do {
            try row(PostgresRow(result: result, row: index))
          } catch {
            // The rest must be taken in all the same before the next statement, so it is better not sent.
            failure = error
            cancel()
          }
        }
        outcome = (Self.changes(result), String(cString: PQcmdStatus(result)))
      case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
        outcome = (Self.changes(result), String(cString: PQcmdStatus(result)))
      default:
        failure = failure ?? fault(sql, result)
      }
    }
    if let failure { throw failure }
    return outcome
  }

  private static func changes(_ result: OpaquePointer) -> Int {
    let tag = String(cString: PQcmdStatus(result))
    guard !tag.hasPrefix("SELECT"), !tag.hasPrefix("SHOW"), !tag.hasPrefix("FETCH") else { return 0 }
    return Int(String(cString: PQcmdTuples(result))) ?? 0
  }

  /// The next result, where there is one more.
  private func next(_ sql: String) throws -> OpaquePointer? {
    var waits = 0
    while PQisBusy(connection) == 1 {
      _ = PQflush(connection)
      if !wait(for: POLLIN) {
        waits += 1
        if interrupt?.isSet ?? false, waits % 3 == 1 { cancel() }
        continue
      }
      guard PQconsumeInput(connection) == 1 else { throw fault(sql) }
    }
    return PQgetResult(connection)
  }

  /// Asks the server to end the statement that it is at.
  private func cancel() {
    guard let request = PQgetCancel(connection) else { return }
    var problem = [CChar](repeating: 0, count: 256)
    PQcancel(request, &problem, Int32(problem.count))
    PQfreeCancel(request)
  }

  /// Waits a moment for the socket. - Returns: Whether it is ready.
  private func wait(for events: Int32) -> Bool {
    var descriptor = pollfd(fd: PQsocket(connection), events: Int16(events), revents: 0)
    return poll(&descriptor, 1, Self.glance) > 0
  }

  private func fault(_ sql: String, _ result: OpaquePointer? = nil) -> PostgresFault {
    func field(_ code: Int32) -> String? {
      result.flatMap { PQresultErrorField($0, code) }.map { String(cString: $0) }
    }
    // The codes are characters: 'C' the kind, 'M' the message, 'D' what is said beside it.
    let detail = field(68).map { "; \($0)" } ?? ""
    return PostgresFault(
      state: field(67), message: field(77).map { $0 + detail } ?? message, statement: sql, user: user)
  }
}

/// A value on its way to the server: as text, of a type that the server finds out by itself where it can be several.
private struct Parameter {
  var text: String?
  var type: Oid

  init(_ value: DatabaseValue) throws {
    switch value {
    case .null: (text, type) = (nil, 0)
    case .integer(let number): (text, type) = (String(number), 20)
    case .real(let number): (text, type) = (String(number), 701)
    case .blob(let bytes): (text, type) = (PostgresText.hexadecimal(bytes), 17)
    case .text(let string):
      guard !string.utf8.contains(0) else {
        throw PostgresFault(state: "22021", message: "a text with NUL can't be stored")
      }
      (text, type) = (string, 0)
    }
  }
}

/// Copies of texts that stay where they are as long as this does.
private final class CStrings {
  let pointers: [UnsafePointer<CChar>?]

  init(_ texts: [String?]) {
    pointers = texts.map { text in text.flatMap { strdup($0) }.map { UnsafePointer($0) } } + [nil]
  }

  deinit {
    for case let pointer? in pointers { free(UnsafeMutablePointer(mutating: pointer)) }
  }
}
