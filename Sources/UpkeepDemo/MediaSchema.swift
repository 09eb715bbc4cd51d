/// The tables of the media application, as far as its clean-up works on them, as they stand on SQLite.
public enum MediaSchema {
  /// All tables and indexes, in an order in which they can be created.
  public static let statements = tables + indexes

  /// The names of the tables, parents first.
  public static let tableNames = SampleFile.names(of: tables)

  /// The tables, parents first. As in the application neither plans nor downloads refer to their job by a foreign key.
  public static let tables = [
    """
    CREATE TABLE job(
      id VARCHAR NOT NULL PRIMARY KEY, type VARCHAR(24) NOT NULL, status VARCHAR(10) NOT NULL,
      progress INTEGER NOT NULL DEFAULT 0, total_items INTEGER, processed_items INTEGER NOT NULL DEFAULT 0, result JSON,
      error TEXT, metadata JSON, started_at DATETIME, completed_at DATETIME,
      created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP)
    """,
    """
    CREATE TABLE handled_downloads(
      id BIGINT NOT NULL PRIMARY KEY, timestamp DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
      download_name VARCHAR NOT NULL, destination_path VARCHAR NOT NULL, job_id VARCHAR NOT NULL)
    """,
    """
    CREATE TABLE analysis_plan(
      id INTEGER NOT NULL PRIMARY KEY, name VARCHAR NOT NULL, description TEXT, plan_metadata JSON NOT NULL,
      status VARCHAR(9) NOT NULL, job_id VARCHAR, applied_at DATETIME,
      created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP)
    """,
    """
    CREATE TABLE plan_change(
      id INTEGER NOT NULL PRIMARY KEY, plan_id INTEGER NOT NULL REFERENCES analysis_plan(id) ON DELETE CASCADE,
      field VARCHAR NOT NULL, proposed_value JSON NOT NULL)
    """,
    """
    CREATE TABLE daemon_job_history(
      id VARCHAR NOT NULL PRIMARY KEY, daemon_id VARCHAR NOT NULL,
      job_id VARCHAR NOT NULL REFERENCES job(id) ON DELETE CASCADE, action VARCHAR(9) NOT NULL, reason TEXT,
      created_at DATETIME NOT NULL)
    """,
  ]

  /// The indexes.
  public static let indexes = [
    "CREATE INDEX ix_job_type ON job(type)", "CREATE INDEX ix_job_status ON job(status)",
    "CREATE INDEX ix_job_started_at ON job(started_at)", "CREATE INDEX ix_job_completed_at ON job(completed_at)",
    "CREATE INDEX ix_job_created_at ON job(created_at)", "CREATE INDEX ix_job_updated_at ON job(updated_at)",
    "CREATE INDEX ix_job_status_created ON job(status, created_at)",
    "CREATE INDEX ix_job_type_status ON job(type, status)",
    "CREATE INDEX ix_handled_downloads_job_id ON handled_downloads(job_id)",
    "CREATE INDEX ix_analysis_plan_status ON analysis_plan(status)",
    "CREATE INDEX ix_plan_change_plan_id ON plan_change(plan_id)",
    "CREATE INDEX ix_daemon_job_history_job_id ON daemon_job_history(job_id)",
  ]
}
