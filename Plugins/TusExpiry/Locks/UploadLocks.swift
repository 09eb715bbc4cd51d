import Glibc

/// Takes the locks that upload servers take while they write, never waiting for one.
///
/// tuspyserver locks `.locks/NAME.lock` with flock; tusd makes `NAME.lock` with its process id in it, and `NAME.stop`
/// where somebody waits for it. The others have no lock that shows.
final class UploadLocks {
  /// What came of asking.
  enum Attempt {
    /// No server has ever taken a lock here.
    case neverLocked
    /// All locks that there are for it, which may be none.
    case held(HeldLock)
    /// Somebody else has it.
    case busy
    case failed(SystemError)
  }

  static let folderName = EntryName(".locks")

  private let root: DirectoryHandle
  private let rule: ExpiryRule
  /// One works while the others rest.
  private var tokens: [LockToken] = []
  private var restedAt = Duration.zero
  private var numbers = 0
  /// How long a token works; servers look several times as often.
  private static let shift = Duration.milliseconds(500)
  private var lastFolder: (folder: DirectoryHandle, locks: DirectoryHandle)?
  private var rootLocks: DirectoryHandle?

  init(root: DirectoryHandle, rule: ExpiryRule) {
    self.root = root
    self.rule = rule
  }

  /// Lets those go on who wait for a lock of an upload that is gone, now and then.
  func rotate(after elapsed: Duration) {
    guard tokens.count > 1, elapsed - restedAt >= Self.shift, tokens[1].wake() else { return }
    restedAt = elapsed
    tokens[0].rest()
    tokens.append(tokens.removeFirst())
  }

  /// Takes what the layout of an upload has for locks.
  func take(_ layout: TusLayout, _ stem: EntryName, in folder: DirectoryHandle) -> Attempt {
    do throws(SystemError) {
      switch layout {
      case .tuspyserver:
        let folders = try lockFolders(of: folder)
        if folders.isEmpty { return .neverLocked }
        let held = HeldLock()
        for locks in folders {
          guard try takeFlock(stem.appending(".lock"), in: locks, held) else { return .busy }
        }
        return .held(held)
      case .tusd:
        let held = HeldLock()
        guard !isWaitedFor(stem, in: folder), try takeProcessLock(stem.appending(".lock"), in: folder, held) else {
          return .busy
        }
        let stop = stem.appending(".stop")
        if folder.has(stop) { held.addLeftover(stop, in: folder) }
        return .held(held)
      case .node, .rustus:
        return .held(HeldLock())
      }
    } catch {
      return .failed(error)
    }
  }

  /// Whether somebody has a lock of an upload, without taking it for longer than a look.
  func isBusy(_ layout: TusLayout, _ stem: EntryName, in folder: DirectoryHandle) -> Bool {
    let name = stem.appending(".lock")
    switch layout {
    case .tuspyserver:
      let folders = (try? lockFolders(of: folder)) ?? []
      return folders.contains { locks in
        guard let descriptor = try? locks.openFile(name, O_RDONLY) else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0
      }
    case .tusd:
      return isWaitedFor(stem, in: folder) || (folder.has(name) && isHeldByProcess(name, in: folder))
    case .node, .rustus:
      return false
    }
  }

  // MARK: tuspyserver

  /// The folders that a server may have its locks in: that beside the data, and that of the upload folder where the
  /// data lies deeper. A server makes them with its first lock, so that each upload is looked for them anew.
  private func lockFolders(of folder: DirectoryHandle) throws(SystemError) -> [DirectoryHandle] {
    if rootLocks == nil { rootLocks = try openLocks(in: root) }
    guard folder !== root else { return rootLocks.map { [$0] } ?? [] }
    if lastFolder?.folder !== folder { lastFolder = try openLocks(in: folder).map { (folder, $0) } }
    return [lastFolder?.locks, rootLocks].compactMap(\.self)
  }

  private func openLocks(in folder: DirectoryHandle) throws(SystemError) -> DirectoryHandle? {
    do throws(SystemError) {
      return try folder.openFolder(Self.folderName)
    } catch {
      guard error.code == ENOENT else { throw error }
      return nil
    }
  }

  private func takeFlock(_ name: EntryName, in locks: DirectoryHandle, _ held: HeldLock) throws(SystemError) -> Bool {
    var flags = O_RDWR
    do throws(SystemError) {
      try token().link(into: locks, as: name)
      held.add(name, in: locks)
      return true
    } catch {
      switch error.code {
      case EEXIST: break
      // A file system without second names.
      case EPERM, EOPNOTSUPP, EMLINK, EXDEV: flags |= O_CREAT
      default: throw error
      }
    }
    let descriptor: Int32
    do throws(SystemError) {
      descriptor = try locks.openFile(name, flags, mode: 0o644)
    } catch {
      // Somebody has just given it back, and may be about to take it again.
      if error.code == ENOENT { return false }
      throw error
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      return false
    }
    held.add(name, in: locks, descriptor: descriptor)
    return held.isStillThere
  }

  // MARK: tusd

  private func takeProcessLock(
    _ name: EntryName, in folder: DirectoryHandle, _ held: HeldLock
  ) throws(SystemError) -> Bool {
    for _ in 0..<2 {
      do throws(SystemError) {
        try token().link(into: folder, as: name)
        held.add(name, in: folder)
        return true
      } catch {
        guard error.code == EEXIST else { throw error }
      }
      guard try moveAside(name, in: folder) else { return false }
    }
    return false
  }

  /// Removes a lock whose process is gone.
  /// - Returns: False where its process lives, or it has just become another lock.
  private func moveAside(_ name: EntryName, in folder: DirectoryHandle) throws(SystemError) -> Bool {
    guard let found = try folder.stamp(of: name) else { return true }
    guard found.isRegular, !isHeldByProcess(name, in: folder) else { return false }
    numbers += 1
    let aside = LockToken.asideName(numbers)
    guard renameat(folder.descriptor, name.cString, folder.descriptor, aside.cString) == 0 else {
      let error = SystemError.last
      if error.code == ENOENT { return true }
      throw error
    }
    if let moved = try folder.stamp(of: aside), !moved.isSameFile(as: found) {
      // It was a new one: back with it, unless there is another one yet again.
      _ = try? folder.link(aside, in: folder, as: name)
      try folder.unlink(aside)
      return false
    }
    try folder.unlink(aside)
    return true
  }

  /// Whether a lock names a process that lives; one that can't be read may.
  private func isHeldByProcess(_ name: EntryName, in folder: DirectoryHandle) -> Bool {
    let descriptor: Int32
    do throws(SystemError) {
      descriptor = try folder.openFile(name, O_RDONLY)
    } catch {
      return error.code != ENOENT
    }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = read(descriptor, &bytes, bytes.count)
    guard count >= 0 else { return true }
    let digits = bytes[..<count].prefix { $0 >= 48 && $0 <= 57 }
    guard let process = pid_t(String(decoding: digits, as: UTF8.self)), process > 0 else { return false }
    return ProcessLife.isAlive(process)
  }

  private func isWaitedFor(_ stem: EntryName, in folder: DirectoryHandle) -> Bool {
    guard let stop = try? folder.stamp(of: stem.appending(".stop")) else { return false }
    return !rule.isQuiet(stop)
  }

  /// The token that works now; the first call makes them.
  private func token() throws(SystemError) -> LockToken {
    if let token = tokens.first { return token }
    let working = try LockToken(in: root, number: 1)
    let resting = try LockToken(in: root, number: 2)
    resting.rest()
    tokens = [working, resting]
    return working
  }
}
