import Dispatch
import Foundation
import Synchronization

/// Hears from the kernel (inotify) when something happens to names in folders.
///
/// Where the kernel has no watch left, or a file system tells nothing, it stays silent: whoever needs to know looks by
/// itself from time to time.
final class FolderWatch: Sendable {
  /// What happened since it was last asked.
  struct News: Hashable {
    /// Something did.
    var hasChange = false
    /// Somebody writes and hasn't closed the file yet.
    var isBeingWritten = false
    /// A load was asked for.
    var isAsked = false
  }

  private struct State {
    var news = News()
    var watches: [Int32: (folder: String, names: Set<String>)] = [:]
    var places: WatchedPlaces?
  }

  /// Yields whenever there is news.
  let wakeups: AsyncStream<Void>
  private let send: AsyncStream<Void>.Continuation
  private let descriptor: Int32
  private let source: Mutex<(any DispatchSourceRead)?>
  private let state = Mutex(State())

  /// Begins to listen.
  /// - Parameter hears: Whether the kernel is asked at all.
  init(hears: Bool = true) {
    (wakeups, send) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    descriptor = hears ? inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC)) : -1
    source = Mutex(
      descriptor < 0 ? nil : DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global()))
    source.withLock { source in
      source?.setEventHandler { [weak self] in self?.read() }
      source?.setCancelHandler { [descriptor] in close(descriptor) }
      source?.resume()
    }
  }

  deinit {
    source.withLock { $0?.cancel() }
    send.finish()
  }

  /// Watches these places from now on, and no others.
  func watch(_ places: WatchedPlaces) {
    guard descriptor >= 0 else { return }
    state.withLock { state in
      guard state.places != places else { return }
      state.places = places
      let folders = Set(places.names.keys)
      for (number, watched) in state.watches where !folders.contains(watched.folder) {
        inotify_rm_watch(descriptor, number)
        state.watches[number] = nil
      }
      for (folder, names) in places.names {
        let number = inotify_add_watch(descriptor, folder, Self.mask)
        if number >= 0 { state.watches[number] = (folder, names) }
        for name in names {
          let number = inotify_add_watch(descriptor, "\(folder)/\(name)", Self.fileMask)
          if number >= 0 { state.watches[number] = (folder, []) }
        }
      }
    }
  }

  /// Asks for a load although nothing happened.
  func ask() {
    state.withLock { $0.news.isAsked = true }
    send.yield()
  }

  /// Wakes whoever waits.
  func wake() {
    send.yield()
  }

  /// What happened since the last call. Whether somebody writes is true until the file is closed.
  func takeNews() -> News {
    state.withLock { state in
      let news = state.news
      state.news = News(isBeingWritten: news.isBeingWritten)
      return news
    }
  }

  private static let mask = UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE)
  /// What is told of the file only: in its folder the state store may lie, which is written all the time.
  private static let fileMask = UInt32(IN_MODIFY | IN_ATTRIB | IN_MASK_ADD | IN_DONT_FOLLOW)

  private func read() {
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    var isNews = false
    while true {
      let count = Foundation.read(descriptor, &buffer, buffer.count)
      guard count > 0 else { break }
      state.withLock { state in
        var offset = 0
        let header = MemoryLayout<inotify_event>.size
        while offset + header <= count {
          let event = buffer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: inotify_event.self) }
          let end = offset + header + Int(event.len)
          let name = String(decoding: buffer[(offset + header)..<min(end, count)].prefix { $0 != 0 }, as: UTF8.self)
          if Self.take(event, name, &state) { isNews = true }
          offset = end
        }
      }
    }
    if isNews { send.yield() }
  }

  private static func take(_ event: inotify_event, _ name: String, _ state: inout State) -> Bool {
    // Another file of that name has to be watched anew.
    if event.mask & UInt32(IN_CREATE | IN_MOVED_TO | IN_Q_OVERFLOW) != 0 { state.places = nil }
    // Where events were lost, anything may have happened.
    if event.mask & UInt32(IN_Q_OVERFLOW) == 0 {
      guard let watched = state.watches[event.wd] else { return false }
      guard name.isEmpty || watched.names.contains(name) else { return false }
      if event.mask & UInt32(IN_IGNORED) != 0 {
        state.watches[event.wd] = nil
        state.places = nil
      }
    }
    state.news.hasChange = true
    state.news.isBeingWritten = event.mask & UInt32(IN_MODIFY) != 0
    return true
  }
}
