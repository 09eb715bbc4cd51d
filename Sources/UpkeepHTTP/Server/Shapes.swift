import UpkeepCore
import UpkeepRuns

/// The documents of the API by name: the `components` of its description.
enum Shapes {
  /// All of them.
  static let named: [String: Schema] = [
    "Problem": problem, "Run": run, "Group": group, "Started": started, "Task": task, "Configuration": configuration,
    "Edited": edited, "Statistics": statistics,
  ]

  private typealias Member = Schema.Member

  private static let statuses = Schema.choice(RunStatus.allCases.map(\.rawValue))
  private static let modes = Schema.choice([RunMode.run.rawValue, RunMode.preview.rawValue])
  private static let instantOrNull = Schema.optional(.instant)
  private static let counts = Schema.map(.integer())

  /// RFC 9457, with a stable code. Some problems carry more.
  private static let problem = Schema.object([
    Member("type", .text()), Member("title", .text()), Member("status", .integer()),
    Member("code", .text(), "A stable name of the problem"), Member("detail", .text(), "What is wrong and what to do"),
    Member("run_id", .runID, isRequired: false), Member("url", .text(), isRequired: false),
    Member("troubles", .list(.text()), isRequired: false), Member("variables", .list(.text()), isRequired: false),
    Member("errors", .list(fault), "Each problem of the YAML, or of what it would be", isRequired: false),
    Member("preview", .named("Run"), "The data as it is now", isRequired: false),
  ])

  private static let started = Schema.object([
    Member("run_id", .runID), Member("task", .text()), Member("mode", modes), Member("status", statuses),
    Member("url", .text(), "The run's address"),
  ])

  private static let table = Schema.object([
    Member("table", .text()), Member("deleted", .integer()), Member("kept_referenced", .integer()),
    Member("referenced_by", .list(.text()), "The tables of the rows that refer to the kept ones"),
    Member("kept_excepted", .integer()), Member("total", .optional(.integer())), Member("oldest", instantOrNull),
    Member("newest", instantOrNull),
  ])

  private static let verdict = Schema.object([
    Member("would_refuse", .boolean), Member("overridden", .boolean), Member("max_percent", .number),
    Member("min_rows", .integer()),
    Member(
      "tables",
      .list(
        .object([
          Member("table", .text()), Member("doomed", .integer()), Member("total", .integer()),
          Member("percent", .number),
        ]))),
  ])

  private static let run = Schema.object([
    Member("schema_version", .integer()), Member("run_id", .runID), Member("task", .text()), Member("plugin", .text()),
    Member("mode", modes), Member("trigger", .choice(RunTrigger.allCases.map(\.rawValue))), Member("status", statuses),
    Member("reason", .optional(.text())), Member("scheduled_at", instantOrNull), Member("first_slot", instantOrNull),
    Member("last_slot", instantOrNull), Member("slots", .optional(.integer())), Member("started_at", instantOrNull),
    Member("finished_at", instantOrNull), Member("duration_ms", .optional(.integer())),
    Member("progress", .object([Member("percent", .number), Member("message", .text())])),
    Member("counts", counts, "What was really committed; of a preview what a run would do"),
    Member("tables", .list(table)), Member("details", .list(.map(.any)), "More to know, each with a kind"),
    Member("guard", .optional(verdict)), Member("remaining", .optional(counts)), Member("warnings", .list(.text())),
    Member(
      "errors",
      .list(.object([Member("step", .text()), Member("code", .text()), Member("message", .text())]))),
    Member("settings", .map(.any)), Member("host", .text()), Member("version", .text()),
  ])

  private static let group = Schema.object([
    Member("schema_version", .integer()), Member("group", .text()), Member("status", statuses),
    Member("started_at", .instant), Member("finished_at", instantOrNull), Member("results", .list(.named("Run"))),
    Member("warnings", .list(.text())), Member("cleaned_jobs", .integer(), isRequired: false),
    Member("cleaned_job_details", .list(.map(.any)), isRequired: false),
    Member("old_jobs_deleted", .integer(), isRequired: false),
    Member("old_downloads_deleted", .integer(), isRequired: false),
    Member("stuck_plans_updated", .integer(), isRequired: false),
    Member(
      "errors", .list(.object([Member("step", .text()), Member("message", .text())])), isRequired: false),
  ])

  private static let task = Schema.object([
    Member("name", .text()), Member("plugin", .text()), Member("enabled", .boolean), Member("paused", .boolean),
    Member(
      "pause",
      .optional(
        .object([
          Member("task", .text()), Member("until", instantOrNull, isRequired: false), Member("reason", .text()),
          Member("by", .text()), Member("since", .instant),
        ]))), Member("running", .boolean), Member("runs", .list(.runID), "The runs that work"),
    Member("waiting", .list(.runID), "The runs that wait"), Member("schedule", .text(), "For people"),
    Member("interval", .optional(.text())), Member("cron", .optional(.text())), Member("timeout", .text()),
    Member("time_zone", .optional(.text())),
    Member(
      "next_run_at", instantOrNull,
      "After its pause; null where that has no end, or where the schedule never starts it"),
    Member("last_run", .optional(.named("Run"))), Member("has_preview", .boolean),
    Member(
      "settings",
      .map(
        .object([
          Member("value", .any), Member("origin", .text()), Member("help", .text()), Member("tunable", .boolean),
        ])), "Each value with its origin; tunable ones can be changed here"),
    Member("etag", .text(), "The hash of the YAML file"),
  ])

  private static let fault = Schema.object([
    Member("severity", .choice(["error", "warning"])), Member("code", .text()), Member("message", .text()),
    Member("line", .optional(.integer())), Member("column", .optional(.integer())),
  ])

  private static let configuration = Schema.object([
    Member("path", .text()), Member("etag", .text()), Member("yaml", .text(), "The YAML in force, secrets masked"),
    Member("loaded_at", .instant), Member("tried_at", .instant),
    Member("errors", .list(fault), "Why the file as it stands isn't in force"),
    Member("restart_needed", .list(.text())),
  ])

  private static let edited = Schema.object([
    Member("task", .text()), Member("etag", .text(), "The file's hash after it"),
    Member(
      "changes",
      .list(
        .object([
          Member("task", .optional(.text())), Member("key", .text()), Member("old", .any), Member("new", .any),
        ]))),
    Member(
      "diff",
      .list(
        .object([
          Member("line", .integer()), Member("removed", .list(.text())), Member("added", .list(.text())),
        ]))), Member("warnings", .list(.text())),
  ])

  private static let statistics = Schema.object([
    Member(
      "items",
      .list(
        .object([
          Member("name", .text()), Member("count", .integer()), Member("oldest", instantOrNull),
          Member("newest", instantOrNull),
        ]))), Member("details", .list(.map(.any))),
  ])
}
