import Glibc

/// Whether processes live.
enum ProcessLife {
  /// Whether there is a process of that number, whoever runs it; where nobody says, it lives.
  static func isAlive(_ process: pid_t) -> Bool {
    kill(process, 0) == 0 || errno != ESRCH
  }
}
