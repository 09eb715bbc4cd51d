import NoopPlugin
import OddsRetentionPlugin
import TusExpiryPlugin
public import UpkeepCore

/// The plugins that come with the program. Add one by adding its line here.
public enum BuiltInPlugins {
  /// All of them, in the order in which people see them.
  public static let all: [PluginDescriptor] = [
    Plugin("odds_retention", OddsRetentionTask.self, OddsRetentionTask.documentation),
    Plugin("tus_expiry", TusExpiryTask.self, TusExpiryTask.documentation),
    Plugin("noop", NoopTask.self, NoopTask.documentation),
  ]
}
