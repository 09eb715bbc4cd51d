/// A process, told apart from every other one that ever ran, on any machine.
///
/// A PID alone is reused; with the boot's id and the process's start time it isn't. The PID namespace says whether a
/// PID can be looked up here at all: two containers may share a host name.
public struct ProcessIdentity: Codable, Hashable, Sendable {
  /// The host's name.
  public var host: String
  /// The id of the machine's present boot (`/proc/sys/kernel/random/boot_id`).
  public var bootID: String
  /// The PID namespace (`/proc/self/ns/pid`).
  public var namespace: String
  /// The process's id.
  public var pid: Int32
  /// The process's start time in clock ticks since boot (`/proc/PID/stat`, field 22).
  public var startTime: UInt64

  /// Creates an identity.
  public init(host: String, bootID: String, namespace: String, pid: Int32, startTime: UInt64) {
    self.host = host
    self.bootID = bootID
    self.namespace = namespace
    self.pid = pid
    self.startTime = startTime
  }
}

/// What is known of whether a process still lives.
public enum Liveness: Hashable, Sendable {
  /// It does.
  case alive
  /// It is provably gone.
  case gone
  /// It can't be told from here: it ran on another host or in another PID namespace.
  case unknown
}

/// Tells processes apart and whether they live.
public protocol ProcessInspector: Sendable {
  /// This process.
  var current: ProcessIdentity { get }
  /// Whether a process lives.
  func liveness(of process: ProcessIdentity) -> Liveness
}
