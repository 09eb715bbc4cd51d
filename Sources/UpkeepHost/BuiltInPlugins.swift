import DownloadLogPlugin
import JobHistoryPlugin
import NoopPlugin
import OddsRetentionPlugin
import RunHistoryPlugin
import ScrapingPlugin
import StaleJobsPlugin
import StuckPlansPlugin
import TableRetentionPlugin
import TusExpiryPlugin
public import UpkeepCore

/// The plugins that come with the program. Add one by adding its line here.
public enum BuiltInPlugins {
  /// All of them, in the order in which people see them.
  public static let all: [PluginDescriptor] = [
    Plugin("odds_retention", OddsRetentionTask.self, OddsRetentionTask.documentation),
    Plugin("scraping", ScrapingTask.self, ScrapingTask.documentation),
    Plugin("stale_jobs", StaleJobsTask.self, StaleJobsTask.documentation),
    Plugin("job_history", JobHistoryTask.self, JobHistoryTask.documentation),
    Plugin("download_log", DownloadLogTask.self, DownloadLogTask.documentation),
    Plugin("stuck_plans", StuckPlansTask.self, StuckPlansTask.documentation),
    Plugin("table_retention", TableRetentionTask.self, TableRetentionTask.documentation),
    Plugin("run_history", RunHistoryTask.self, RunHistoryTask.documentation),
    Plugin("tus_expiry", TusExpiryTask.self, TusExpiryTask.documentation),
    Plugin("noop", NoopTask.self, NoopTask.documentation),
  ]
}
