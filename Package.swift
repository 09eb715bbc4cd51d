// swift-tools-version: 6.2
import PackageDescription

/// One rule set for every Swift target; CI turns warnings into errors.
let strict: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ] + (Context.environment["UPKEEP_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)])

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
/// The server that stands in for the betting platforms, without Hummingbird's own router.
let hummingbird: [Target.Dependency] = [
  .product(name: "HummingbirdCore", package: "hummingbird"), .product(name: "HTTPTypes", package: "swift-http-types"),
  .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"), lifecycle,
]
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let nio: [Target.Dependency] = [
  .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
  .product(name: "NIOPosix", package: "swift-nio"),
]
let subprocess: [Target.Dependency] = [
  .product(name: "Subprocess", package: "swift-subprocess"), .product(name: "SystemPackage", package: "swift-system"),
]
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// A room of the house: a library under `Sources/`.
func room(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

/// A plugin: a library under `Plugins/` whose module is named after its folder.
func plugin(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .target(
    name: "\(name)Plugin", dependencies: ["UpkeepCore"] + dependencies, path: "Plugins/\(name)", resources: resources,
    swiftSettings: strict)
}

/// The tests of one module, under `Tests/`.
func tests(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, path: path ?? "Tests/\(name)", swiftSettings: strict)
}

let package = Package(
  name: "upkeep",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "upkeep", targets: ["upkeep"]),
    .library(name: "UpkeepCore", targets: ["UpkeepCore"]),
    .library(name: "UpkeepTestKit", targets: ["UpkeepTestKit"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2", traits: []),
    .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
  ],
  targets: [
    .systemLibrary(
      name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
    room("UpkeepCore", [log]),
    room("UpkeepRuns", ["UpkeepCore", "UpkeepSchedule"]),
    room("UpkeepSchedule", ["UpkeepCore"]),
    room("UpkeepConfiguration", ["UpkeepCore", "UpkeepRuns", "UpkeepSchedule", "CLibYAML"]),
    // The system's libpq, loaded with the first connection to a server.
    .target(name: "CLibPQ"),
    // What SQLite's own interface doesn't offer for its write-ahead log, in C.
    .target(name: "CSQLiteLog", linkerSettings: [.linkedLibrary("sqlite3")]),
    // What the C library's allocator is told.
    .target(name: "CMemory"),
    // What the C library offers for starting processes, for tests.
    .target(name: "CSpawn"),
    room("UpkeepDatabase", ["UpkeepCore", grdb, sqlite, "CSQLiteLog", "CLibPQ"]),
    room("UpkeepPurge", ["UpkeepCore", "UpkeepDatabase", "CMemory"]),
    room("UpkeepFetch", ["UpkeepCore", httpClient] + nio),
    room("UpkeepNotices", ["UpkeepCore", "UpkeepRuns", "UpkeepFetch", log] + subprocess),
    room("UpkeepRuntime", ["UpkeepCore", "UpkeepRuns", "UpkeepSchedule", log]),
    room("UpkeepStore", ["UpkeepCore", "UpkeepRuns", "UpkeepDatabase"]),
    // The pages' style and script become a part of the program: it stays one file.
    room(
      "UpkeepHTTP", ["UpkeepCore", "UpkeepRuns"] + nio,
      resources: [
        .embedInCode("Dashboard/Resources/app.css"), .embedInCode("Dashboard/Resources/app.js"),
        .embedInCode("Dashboard/Resources/icon.svg"),
      ]),
    room("UpkeepDemo", ["UpkeepCore", "UpkeepDatabase", log] + hummingbird),
    room(
      "UpkeepHost",
      [
        "UpkeepCore", "UpkeepRuns", "UpkeepSchedule", "UpkeepConfiguration", "UpkeepDatabase", "UpkeepPurge",
        "UpkeepFetch", "UpkeepNotices", "UpkeepRuntime", "UpkeepStore", "UpkeepHTTP", "NoopPlugin",
        "OddsRetentionPlugin",
        "TableRetentionPlugin", "RunHistoryPlugin", "StaleJobsPlugin", "JobHistoryPlugin", "DownloadLogPlugin",
        "StuckPlansPlugin", "TusExpiryPlugin", "ScrapingPlugin", "CMemory", log, lifecycle,
      ]),
    room("UpkeepTestKit", ["UpkeepCore", "UpkeepRuns", "UpkeepRuntime", "CSpawn", log]),
    .executableTarget(
      name: "upkeep", dependencies: ["UpkeepHost", "UpkeepDemo", "UpkeepRuns", "UpkeepCore", arguments],
      swiftSettings: strict),
    plugin("Noop", []),
    plugin("OddsRetention", ["UpkeepDatabase", "UpkeepPurge"]),
    plugin("TableRetention", ["UpkeepDatabase", "UpkeepPurge"]),
    plugin("RunHistory", []),
    plugin("StaleJobs", ["UpkeepDatabase", "UpkeepPurge", "UpkeepFetch"]),
    plugin("JobHistory", ["UpkeepDatabase", "UpkeepPurge"]),
    plugin("DownloadLog", ["UpkeepDatabase", "UpkeepPurge"]),
    plugin("StuckPlans", ["UpkeepDatabase", "UpkeepPurge"]),
    plugin("TusExpiry", ["UpkeepSchedule"]),
    plugin("Scraping", ["UpkeepDatabase", "UpkeepFetch"], resources: [.embedInCode("Markets/markets.json")]),
    tests("UpkeepCoreTests", ["UpkeepCore", "UpkeepTestKit"]),
    tests("UpkeepScheduleTests", ["UpkeepSchedule", "UpkeepCore", "UpkeepTestKit"]),
    tests(
      "UpkeepConfigurationTests",
      ["UpkeepConfiguration", "UpkeepCore", "UpkeepRuns", "UpkeepSchedule", "UpkeepTestKit"]),
    .testTarget(
      name: "UpkeepDatabaseTests",
      dependencies: ["UpkeepDatabase", "UpkeepCore", "UpkeepTestKit", "PostgresCluster", log],
      path: "Tests/UpkeepDatabaseTests", exclude: ["Cluster", "Fixture"], swiftSettings: strict),
    // A PostgreSQL server for tests.
    .target(
      name: "PostgresCluster", dependencies: ["UpkeepDatabase", "UpkeepTestKit"],
      path: "Tests/UpkeepDatabaseTests/Cluster",
      swiftSettings: strict),
    // A database that a test works on, as itself and as a task does.
    .target(
      name: "DatabaseFixture", dependencies: ["UpkeepDatabase", "UpkeepCore"],
      path: "Tests/UpkeepDatabaseTests/Fixture",
      swiftSettings: strict),
    tests("UpkeepFetchTests", ["UpkeepFetch", "UpkeepCore", "UpkeepDemo", "UpkeepTestKit"]),
    tests(
      "UpkeepPurgeTests", ["UpkeepPurge", "UpkeepDatabase", "UpkeepCore", "UpkeepTestKit", "DatabaseFixture"]),
    tests(
      "UpkeepRuntimeTests", ["UpkeepRuntime", "UpkeepRuns", "UpkeepSchedule", "UpkeepCore", "UpkeepTestKit", log]),
    .testTarget(
      name: "UpkeepStoreTests",
      dependencies: [
        "UpkeepStore", "UpkeepDatabase", "UpkeepRuns", "UpkeepCore", "UpkeepTestKit", "PostgresCluster",
        "DatabaseFixture",
      ], path: "Tests/UpkeepStoreTests", exclude: ["Stores"], swiftSettings: strict),
    tests("UpkeepHTTPTests", ["UpkeepHTTP", "UpkeepRuns", "UpkeepCore", "UpkeepTestKit", log]),
    tests(
      "UpkeepHostTests",
      ["UpkeepHost", "UpkeepConfiguration", "UpkeepRuns", "UpkeepCore", "UpkeepTestKit", log]),
    tests(
      "UpkeepNoticesTests", ["UpkeepNotices", "UpkeepFetch", "UpkeepRuns", "UpkeepCore", "UpkeepTestKit", log]),
    tests("UpkeepDemoTests", ["UpkeepDemo", "UpkeepDatabase", "UpkeepCore", "UpkeepTestKit"]),
    .testTarget(
      name: "PluginTests",
      dependencies: [
        "NoopPlugin", "OddsRetentionPlugin", "TableRetentionPlugin", "RunHistoryPlugin", "StaleJobsPlugin",
        "JobHistoryPlugin", "DownloadLogPlugin", "StuckPlansPlugin", "TusExpiryPlugin", "ScrapingPlugin", "OddsOracle",
        "UpkeepDatabase",
        "UpkeepPurge", "UpkeepFetch", "UpkeepSchedule", "UpkeepRuntime", "UpkeepRuns", "UpkeepStore", "UpkeepCore",
        "UpkeepTestKit", "UpkeepDemo", "PostgresCluster", "DatabaseFixture", grdb, log,
      ], path: "Tests/Plugins",
      exclude: ["Oracle", "Tus/Real/requirements.txt", "Tus/Real/real_uploads.py"], swiftSettings: strict),
    // The rules in plain SQL, for the tests of the plugin and those of faults.
    .target(
      name: "OddsOracle", dependencies: ["UpkeepDatabase", "UpkeepCore"], path: "Tests/Plugins/Oracle",
      swiftSettings: strict),
    // A disk that fails, as a VFS over that of the system's SQLite.
    .target(
      name: "FaultVFS", path: "Tests/Faults/VFS", linkerSettings: [.linkedLibrary("sqlite3")]),
    .testTarget(
      name: "FaultTests",
      dependencies: [
        "upkeep", "FaultVFS", "OddsOracle", "OddsRetentionPlugin", "UpkeepDatabase", "UpkeepStore", "UpkeepRuns",
        "UpkeepCore", "UpkeepDemo", "UpkeepTestKit", log,
      ], path: "Tests/Faults", exclude: ["VFS"], swiftSettings: strict),
    tests(
      "ConformanceTests", path: "Tests/Conformance",
      [
        "UpkeepHost", "UpkeepTestKit", "UpkeepStore", "UpkeepRuns", "UpkeepCore", "UpkeepDatabase", "UpkeepPurge",
        "UpkeepDemo", "UpkeepFetch", "DatabaseFixture",
      ]),
    tests("UpkeepCommandTests", ["upkeep", "UpkeepHost", "UpkeepRuns", "UpkeepCore", "UpkeepDemo"]),
    tests("ArchitectureTests", path: "Tests/Architecture", []),
    tests(
      "EndToEndTests", path: "Tests/EndToEnd",
      [
        "upkeep", "UpkeepCore", "UpkeepRuns", "UpkeepDatabase", "UpkeepStore", "UpkeepTestKit", "UpkeepDemo",
        "PostgresCluster",
      ]),
  ]
)
