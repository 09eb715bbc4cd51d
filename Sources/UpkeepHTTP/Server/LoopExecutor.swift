import NIOCore

/// Runs tasks on the thread of an event loop.
///
/// A request is answered there: to wake another thread, and that one the loop again, would cost more than most answers
/// do. What may take long, or wait for a disk, is sent elsewhere: see ``Route/quick(where:)``.
final class LoopExecutor: TaskExecutor {
  private let loop: any EventLoop

  init(loop: any EventLoop) {
    self.loop = loop
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
  }
}
