import UpkeepCore

/// What a result says of a folder that files were removed from: the entry of kind `folder` in its `details`.
struct FolderDetail {
  let path: String

  /// Reads an entry; nothing where it is of another kind.
  init?(_ detail: JSONValue) {
    guard case .object(let values) = detail, values["kind"] == .string("folder"),
      case .string(let path)? = values["path"]
    else { return nil }
    self.path = path
  }

  /// How much came free, and what stayed, from the counts.
  func lines(_ result: RunResult) -> [String] {
    func count(_ name: String) -> Int { result.counts[name] ?? 0 }
    let bytes = NumberText.bytes(count("bytes_freed"))
    var lines = ["  folder \(path): \(bytes) \(result.mode == .preview ? "would come free" : "freed")"]
    let orphans = count("orphans_removed")
    if orphans > 0 { lines.append("  \(NumberText.counted(orphans, "orphan")) among them: data or sidecar was gone") }
    let kept = [("kept_unexpired", "unexpired"), ("kept_complete", "complete"), ("kept_active", "active")]
      .filter { count($0.0) > 0 }.map { "\(NumberText.grouped(count($0.0))) \($0.1)" }
    if !kept.isEmpty { lines.append("  kept: \(kept.joined(separator: ", "))") }
    let odd = [("foreign", "no part of an upload"), ("unreadable", "unreadable")]
      .filter { count($0.0) > 0 }.map { "\(NumberText.grouped(count($0.0))) \($0.1)" }
    if !odd.isEmpty { lines.append("  other files: \(odd.joined(separator: ", "))") }
    return lines
  }
}
