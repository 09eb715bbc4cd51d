extension ServerSample {
  private static let types = [
    "sync", "sync_scenes", "analysis", "non_ai_analysis", "apply_plan", "generate_details", "export", "import",
    "cleanup", "remove_orphaned_entities", "process_downloads", "stash_scan", "stash_generate", "check_stash_generate",
    "local_generate", "process_new_scenes", "test", "sync_all", "ANALYSIS", "SYNC",
  ]
  private static let statuses = ["pending", "running", "completed", "failed", "cancelled", "cancelling"]

  /// The media application's tables as they stand on PostgreSQL: enumerations, and times with a zone.
  public static var media: ServerSample {
    func enumeration(_ name: String, _ values: [String]) -> String {
      "CREATE TYPE \(name) AS ENUM (\(values.map { "'\($0)'" }.joined(separator: ", ")))"
    }
    let tables = MediaSchema.tables.map { statement in
      statement.replacing(" DATETIME", with: " timestamptz")
        .replacing("type VARCHAR(24)", with: "type jobtype").replacing("status VARCHAR(10)", with: "status jobstatus")
    }
    return ServerSample(
      tables: [enumeration("jobtype", types), enumeration("jobstatus", statuses)] + tables,
      indexes: MediaSchema.indexes, names: MediaSchema.tableNames)
  }
}
