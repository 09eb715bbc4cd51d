import UpkeepDatabase

/// What `validate --live` looks at in a database of a server.
struct ServerLook: Sendable {
  private(set) var findings: [(level: LiveFinding.Level, message: String)] = []

  /// Tables that are named, at most, where a right is missing.
  private static let named = 10

  init(on connection: any DatabaseConnection) throws {
    let catalogue = try Catalogue(of: connection)
    let row =
      try connection.first(
        """
        SELECT current_setting('server_version'), quote_ident(current_user), quote_ident(current_database()),
          pg_is_in_recovery(), has_database_privilege(current_database(), 'TEMPORARY'), current_setting('autovacuum')
        """) ?? []
    guard row.count == 6, let version = row[0].text, let user = row[1].text, let name = row[2].text else { return }
    findings.append((.fine, "opens, \(catalogue.tables.count) tables, PostgreSQL \(version) as user \(user)"))
    if row[3].integer == 1 {
      findings.append((.error, "this server is a replica, which only lets read; name the primary server"))
    }
    if row[4].integer == 0 {
      findings.append(
        (.error, "user \(user) may not make temporary tables: GRANT TEMPORARY ON DATABASE \(name) TO \(user);"))
    }
    if row[5].text == "off" {
      findings.append((.warning, "autovacuum is off: the room of deleted rows isn't used again before a VACUUM"))
    }
    for right in ["SELECT", "DELETE"] {
      let refused = try catalogue.tables.map { SQLName.quoted($0.name) }.filter { table in
        try connection.integer("SELECT has_table_privilege(?1, ?2)", [.text(table), .text(right)]) == 0
      }
      guard !refused.isEmpty else { continue }
      let list = refused.prefix(Self.named).joined(separator: ", ")
      let more = refused.count > Self.named ? " and \(refused.count - Self.named) more" : ""
      findings.append(
        (
          .warning,
          "user \(user) has no right to \(right) from \(list)\(more); for a task that works on them: "
            + "GRANT \(right) ON \(list) TO \(user);"
        ))
    }
  }
}
