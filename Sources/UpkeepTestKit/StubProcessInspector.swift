import Synchronization
public import UpkeepRuns

/// Says of processes what a test told it to; all others live.
public final class StubProcessInspector: ProcessInspector {
  /// This process.
  public let current: ProcessIdentity
  private let told = Mutex<[ProcessIdentity: Liveness]>([:])

  /// Creates an inspector in a process with a PID on a host.
  public init(pid: Int32 = 4711, host: String = "box-1") {
    current = Self.process(pid: pid, host: host)
  }

  /// A process as these inspectors make them.
  public static func process(pid: Int32, host: String = "box-1") -> ProcessIdentity {
    ProcessIdentity(host: host, bootID: "boot-\(host)", namespace: "pid:[1]", pid: pid, startTime: UInt64(pid) * 10)
  }

  /// Says how a process stands from now on.
  public func set(_ process: ProcessIdentity, _ liveness: Liveness) {
    told.withLock { $0[process] = liveness }
  }

  /// What a test said, or alive.
  public func liveness(of process: ProcessIdentity) -> Liveness {
    told.withLock { $0[process] ?? .alive }
  }
}
