import Glibc

/// An error of a system call.
struct SystemError: Error, Equatable {
  /// The system's number.
  let code: Int32

  /// The error of the call that has just failed.
  static var last: SystemError { SystemError(code: errno) }

  /// The system's words.
  var text: String { String(cString: strerror(code)) }
}
