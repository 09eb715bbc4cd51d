import UpkeepCore
import UpkeepRuns

/// What a result says of a folder that files were removed from: it has an entry of kind `folder` in its `details`.
struct FolderDetail {
  /// Reads an entry; nothing where it is of another kind.
  init?(_ detail: JSONValue) {
    guard case .object(let values) = detail, values["kind"] == .string("folder") else { return nil }
  }

  /// How much came free, and what stayed, from the counts.
  func lines(_ result: RunResult) -> [String] {
    func counts(_ names: [(String, String)]) -> String? {
      let parts = names.compactMap { name, word in
        result.counts[name].flatMap { $0 > 0 ? "\(NumberText.grouped($0)) \(word)" : nil }
      }
      return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
    var lines: [String] = []
    let bytes = result.counts["bytes_freed"] ?? 0
    if bytes > 0 {
      lines.append("  \(NumberText.bytes(bytes)) \(result.mode == .preview ? "would come free" : "came free")")
    }
    if let orphans = counts([("orphans_removed", "without data or without a sidecar")]) {
      lines.append("  among them \(orphans)")
    }
    if let kept = counts([("kept_unexpired", "unexpired"), ("kept_complete", "complete"), ("kept_active", "active")]) {
      lines.append("  kept: \(kept)")
    }
    if let odd = counts([("foreign", "no part of an upload"), ("unreadable", "unreadable")]) {
      lines.append("  other files: \(odd)")
    }
    return lines
  }
}
