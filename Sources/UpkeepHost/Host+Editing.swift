public import Foundation
import UpkeepConfiguration
public import UpkeepRuns

extension Host {
  /// What edits the YAML file of this host.
  public var editor: any ConfigurationEditing {
    ConfigurationEditor(path: path, loader: loader, clock: clock)
  }

  /// What edits the file that ``load(_:environment:)`` would load. The file itself isn't looked at before an edit.
  /// - Throws: ``ConfigurationFailure`` where there is none.
  public static func editor(
    _ option: String?, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> any ConfigurationEditing {
    let loader = ConfigurationLoader(plugins: BuiltInPlugins.all, environment: environment)
    return ConfigurationEditor(
      path: try locate(option, environment: environment), loader: loader, clock: systemClock)
  }
}
