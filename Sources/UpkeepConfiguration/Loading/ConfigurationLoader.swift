import Foundation
public import UpkeepCore

/// What came of loading a configuration.
public struct LoadedConfiguration: Sendable {
  /// The configuration; nothing where there is an error.
  public var configuration: HostConfiguration?
  /// All problems, errors and warnings, in the order of the file.
  public var diagnostics: [Diagnostic]
  /// The file's text, to show problems in.
  public var source: ConfigurationSource
  /// The file as it was read, before the environment's values; nothing where it isn't YAML.
  var tree: ConfigurationNode?

  /// The SHA-256 hash of the file's bytes, in hexadecimal digits.
  public var hash: String { source.hash }

  /// Whether the configuration can't be used.
  public var hasErrors: Bool {
    diagnostics.contains { $0.severity == .error }
  }
}

/// A change of one key of a task for this process only: `--set`.
public struct TaskOverride: Hashable, Sendable {
  /// The task.
  public var task: String
  /// `interval`, `settings.odds_keep`, or just `odds_keep` where no task key has that name; dotted for maps.
  public var key: String
  /// The value as it would stand in YAML.
  public var value: String

  /// Creates a change.
  public init(task: String, key: String, value: String) {
    self.task = task
    self.key = key
    self.value = value
  }

  /// Reads the `KEY=VALUE` of the command line.
  /// - Throws: A ``Diagnostic`` with code `bad_set` where there is no `=`, or nothing before it.
  public init(task: String, argument: String) throws(Diagnostic) {
    guard let sign = argument.firstIndex(of: "="), sign != argument.startIndex else {
      throw Diagnostic(code: "bad_set", "expected KEY=VALUE, found \(argument)", at: .commandLine())
    }
    self.init(task: task, key: String(argument[..<sign]), value: String(argument[argument.index(after: sign)...]))
  }
}

/// The one validator: `validate`, `run`, `serve`, reload and the API all load a configuration through it.
public struct ConfigurationLoader: Sendable {
  /// The known plugins.
  public var plugins: [PluginDescriptor]
  /// The environment: variables to put into texts, and overrides.
  public var environment: [String: String]
  /// Changes for this process only; they beat the environment, which beats the file.
  public var overrides: [TaskOverride]
  /// Whether tasks and groups are left out, whatever is wrong with them: who looks at the history, or stops a run, needs
  /// only the host's part.
  public var skipsTasks = false

  /// Creates a loader.
  public init(plugins: [PluginDescriptor], environment: [String: String], overrides: [TaskOverride] = []) {
    self.plugins = plugins
    self.environment = environment
    self.overrides = overrides
  }

  /// Reads and checks a file.
  ///
  /// - Parameter path: The path, as it was given; it leads every message.
  /// - Returns: The configuration or every problem; a file that can't be read gives one problem with code
  ///   `no_file`, `not_a_file` or `unreadable_file`.
  public func load(file path: String) -> LoadedConfiguration {
    let absolute = URL(fileURLWithPath: path).standardizedFileURL
    let folder = absolute.deletingLastPathComponent().path
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: absolute.resolvingSymlinksInPath().path)
      if attributes[.type] as? FileAttributeType == .typeDirectory {
        return failure(path, folder, "not_a_file", "this is a folder; name the YAML file in it")
      }
      let limit = YAMLParser.Limit.bytes
      if let size = attributes[.size] as? Int, size > limit {
        return failure(
          path, folder, "too_large", "the file has \(size) bytes; at most \(limit) (1 MiB) are read")
      }
      return load(try Self.bytes(of: absolute), path: path, folder: folder)
    } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
      return failure(path, folder, "no_file", "there is no such file; `upkeep init` writes one")
    } catch {
      let reason = (error as? CocoaError)?.code == .fileReadNoPermission ? "no permission" : "\(error)"
      return failure(path, folder, "unreadable_file", "the file can't be read: \(reason)")
    }
  }

  /// The hash of a file's contents, as a load would give it, without checking them; nothing where the file can't be read.
  public func hash(ofFile path: String) -> String? {
    (try? Self.bytes(of: URL(fileURLWithPath: path))).map(ContentHash.of)
  }

  /// A file's bytes. What isn't a plain file, such as a pipe, has no size: one byte more than is allowed tells.
  private static func bytes(of file: URL) throws -> [UInt8] {
    let file = try FileHandle(forReadingFrom: file)
    defer { try? file.close() }
    return Array(try file.read(upToCount: YAMLParser.Limit.bytes + 1) ?? Data())
  }

  /// Checks the bytes of a file.
  ///
  /// - Parameters:
  ///   - bytes: The file's contents.
  ///   - path: The file's path as it was given; it leads every message.
  ///   - folder: The absolute folder where relative paths start.
  public func load(_ bytes: [UInt8], path: String, folder: String) -> LoadedConfiguration {
    let text = SourceText(bytes)
    var source = ConfigurationSource(path: path, text: text)
    let (root, problems) = YAMLParser.parse(text, path: path)
    guard let root else {
      source.guessedSecrets = SecretFinder.keys(of: plugins)
      return LoadedConfiguration(configuration: nil, diagnostics: problems, source: source)
    }
    var conversion = NodeConversion(text: text, path: path, environment: environment)
    var node = conversion.convert(root)
    if skipsTasks, case .map(let entries) = node.content {
      node.content = .map(entries.filter { !["tasks", "groups"].contains($0.key) })
    }
    var reader = ConfigurationReader(
      path: path, folder: folder, plugins: plugins,
      environment: skipsTasks ? environment.filter { !$0.key.hasPrefix(ConfigurationReader.prefix) } : environment,
      overrides: skipsTasks ? [] : overrides.map { ($0, origin(of: $0)) })
    let configuration = reader.read(node)
    source.secretRanges = reader.secrets.ranges(in: path)
    let consequences = reader.problems.filter { problem in !(problem.origin.map(conversion.failed.contains) ?? false) }
    let diagnostics = reader.secrets.masked(problems + conversion.problems + consequences)
    var loaded = LoadedConfiguration(
      configuration: configuration, diagnostics: Self.sorted(diagnostics), source: source, tree: node)
    if loaded.hasErrors { loaded.configuration = nil }
    return loaded
  }

  /// Where the value of a change comes from, for messages: without the value where that may be a secret.
  public func origin(of change: TaskOverride) -> ValueOrigin {
    let words = TaskKeyPath.parts(of: change.key)
    let isSecret = SecretFinder.keys(of: plugins).contains { words.contains($0) || change.value.contains($0) }
    return .commandLine(argument: "\(change.key)=\(isSecret ? Secret.mask : Secret.masked(change.value))")
  }

  /// Finds the configuration file: `--config`, then `$UPKEEP_CONFIG`, `./config/upkeep.yaml`, `/etc/upkeep/upkeep.yaml`.
  ///
  /// - Parameters:
  ///   - option: What `--config` says.
  ///   - environment: The environment.
  ///   - exists: Tells whether a file exists.
  /// - Returns: The path, which may not exist where it was named; nothing where none was named and none exists.
  public static func lookUp(
    option: String?, environment: [String: String], exists: (String) -> Bool
  ) -> String? {
    if let option { return option }
    if let path = environment["UPKEEP_CONFIG"], !path.isEmpty { return path }
    return standardPaths.first(where: exists)
  }

  /// Where a configuration is looked for when none is named.
  public static let standardPaths = ["config/upkeep.yaml", "/etc/upkeep/upkeep.yaml"]

  private func failure(_ path: String, _ folder: String, _ code: String, _ message: String) -> LoadedConfiguration {
    let text = SourceText([])
    let origin = ValueOrigin.file(path: path, range: text.range(0, 0))
    return LoadedConfiguration(
      configuration: nil, diagnostics: [Diagnostic(code: code, message, at: origin)],
      source: ConfigurationSource(path: path, text: text))
  }

  private static func sorted(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
    var seen: Set<Diagnostic> = []
    return diagnostics.filter { seen.insert($0).inserted }.enumerated().sorted { left, right in
      let (first, second) = (place(left.element), place(right.element))
      return first != second ? first < second : left.offset < right.offset
    }.map(\.element)
  }

  private static func place(_ diagnostic: Diagnostic) -> SourcePosition {
    if case .file(_, let range) = diagnostic.origin { range.start } else { SourcePosition(line: .max, column: 1) }
  }
}
