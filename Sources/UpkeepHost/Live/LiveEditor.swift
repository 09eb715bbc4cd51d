import UpkeepRuns

/// Edits the file of a configuration in force: an edit that was made is in force when it is answered.
///
/// Otherwise who raises a retention and starts a run at once would delete by the old one.
struct LiveEditor: ConfigurationEditing {
  let base: any ConfigurationEditing
  let reloader: ConfigurationReloader

  func hash() async throws(EditRefusal) -> String {
    try await base.hash()
  }

  func edit(
    _ edits: [ConfigurationEdit], expecting hash: String?, scope: EditScope
  ) async throws(EditRefusal) -> ConfigurationEditResult {
    let result = try await base.edit(edits, expecting: hash, scope: scope)
    if result.hash != result.previousHash { await reloader.reloadNow() }
    return result
  }

  func plan(
    _ edits: [ConfigurationEdit], expecting hash: String?, scope: EditScope
  ) async throws(EditRefusal) -> ConfigurationEditResult {
    try await base.plan(edits, expecting: hash, scope: scope)
  }
}
