/// A disk that fails when a test wants it to: a SQLite VFS over the system's own one.
///
/// Only files below the folder of a fault disk are watched. Every other file is handed to the system's VFS untouched, so
/// that the VFS can be the default one of a process in which other tests work on databases at the same time.
#ifndef FAULT_VFS_H
#define FAULT_VFS_H

/// What goes wrong; also what is counted.
typedef enum {
  /// Nothing.
  FAULT_NONE,
  /// The power is cut at an operation (a write, sync, truncation, creation or removal): it and all later calls fail.
  FAULT_POWER,
  /// A write fails.
  FAULT_WRITE,
  /// A sync fails; what it should have made durable may be lost in a power cut.
  FAULT_SYNC,
  /// A truncation fails.
  FAULT_TRUNCATE,
  /// The disk is full once files have grown by so many bytes.
  FAULT_FULL,
  FAULT_KINDS
} fault_kind;

/// Watches the files below a folder, which must be given as SQLite will see it: absolute, without symbolic links.
///
/// What the files hold when they are first opened counts as durable.
/// - Returns: The disk's number, or 0 where there is no memory or no room for a further disk.
int fault_disk_new(const char *folder);

/// Forgets a disk. Its connections must be closed.
void fault_disk_free(int disk);

/// Plans a fault and begins all counts anew.
///
/// - Parameters:
///   - at: Which operation of the kind fails, from 1; for FAULT_FULL the free bytes.
///   - lasting: Whether the operations of the kind after it fail as well (a full disk always stays full).
void fault_disk_plan(int disk, fault_kind kind, long long at, int lasting);

/// How many operations of a kind there were since the plan was made; for FAULT_POWER all, for FAULT_FULL bytes.
long long fault_disk_count(int disk, fault_kind kind);

/// Whether the planned fault has happened.
int fault_disk_struck(int disk);

/// Cuts the power now.
void fault_disk_cut(int disk);

/// Writes what a power cut leaves of the disk's files into another folder.
///
/// All that was synced survives. Of what was written since, any part may: nothing, all, a beginning, or any choice of
/// 512-byte sectors. A file that was created or removed since its folder was last synced may be there or not. Bytes
/// beside a write are never damaged: SQLite assumes that (SQLITE_IOCAP_POWERSAFE_OVERWRITE) of every disk.
///
/// - Parameter seed: Chooses; 0 means that nothing unsynced survives, and every removal or creation that wasn't synced
///   is undone.
/// - Returns: 0, or an errno.
int fault_disk_survive(int disk, const char *folder, unsigned long long seed);

#endif
