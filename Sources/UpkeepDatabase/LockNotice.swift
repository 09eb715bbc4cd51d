import Synchronization
import UpkeepCore

/// Says in a run's progress that it waits for a lock, and afterwards again what it said before.
final class LockNotice: Sendable {
  private let message: String
  private let journal: RunJournal
  private let before = Mutex("")

  init(_ database: any Database, _ journal: RunJournal) {
    message = "waiting for a lock on database \(database.name)"
    self.journal = journal
  }

  func tell(_ isWaiting: Bool) {
    journal.update { [self] contents in
      let present = contents.progress.message
      if isWaiting {
        if present != message { before.withLock { $0 = present } }
        contents.progress.message = message
      } else if present == message {
        contents.progress.message = before.withLock { $0 }
      }
    }
  }
}
