import ArgumentParser
import UpkeepHost

/// What a shell offers where a name is to be written: the names of the configuration that would be used.
enum NameCompletion {
  /// Tasks and groups.
  static let runnable = CompletionKind.custom { _, _, _ in
    guard let host = try? Host.load(nil) else { return [] }
    return host.tasks.map(\.name) + host.groups.map(\.name)
  }

  /// Tasks.
  static let task = CompletionKind.custom { _, _, _ in
    (try? Host.load(nil))?.tasks.map(\.name) ?? []
  }
}
