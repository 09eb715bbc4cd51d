import ArgumentParser
import UpkeepHost

/// What a shell offers where a name is to be written: the names of the configuration that would be used.
enum NameCompletion {
  /// Tasks and groups.
  static let runnable = CompletionKind.custom { _, _, _ in
    guard let host = try? Host.load(nil) else { return [] }
    return host.tasks.map(\.name) + host.groups.map(\.name)
  }

  /// Keys of the task that stands before, its settings without `settings.`.
  static let key = CompletionKind.custom { words, _, _ in
    guard let host = try? Host.load(nil), let task = host.tasks.first(where: { words.contains($0.name) }) else {
      return []
    }
    let (path, settings) = ("tasks.\(task.name).", "settings.")
    return host.effectiveValues.map(\.key).filter { $0.hasPrefix(path) }.map { key in
      let key = key.dropFirst(path.count)
      return String(key.hasPrefix(settings) ? key.dropFirst(settings.count) : key)
    }
  }

  /// Tasks.
  static let task = CompletionKind.custom { _, _, _ in
    (try? Host.load(nil))?.tasks.map(\.name) ?? []
  }
}
