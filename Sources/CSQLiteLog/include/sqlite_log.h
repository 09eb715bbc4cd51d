// The write-ahead log of a SQLite file: how it stands, who checkpoints it, and how a commit is written to it.
#ifndef SQLITE_LOG_H
#define SQLITE_LOG_H

#include <stdint.h>

struct sqlite3;

/// How a write-ahead log stands ("WAL-mode File Format", sections 2.1 and 2.2).
struct sqlite_log_state {
  /// Changes with every commit, whoever makes it (`iChange`).
  uint32_t commits;
  /// Frames since the log was last begun anew (`mxFrame`).
  uint32_t frames;
  /// Frames of those that a checkpoint has brought into the database (`nBackfill`).
  uint32_t checkpointed;
  /// Bytes of a page.
  uint32_t page_size;
};

/// Sees to it that connections opened from now on write each commit of theirs to the log in a few large writes instead
/// of two small ones for each page. Call it before a connection is opened, as often as you like.
void sqlite_log_prepare(void);

/// The header of the wal-index that a connection in WAL mode has mapped, or NULL. It stays readable until the connection
/// is closed. Call it on the connection's own thread, after it has read from the database.
const void *sqlite_log_index(struct sqlite3 *connection);

/// Reads the state from such a header; costs neither a lock nor a system call. Returns 0 where it isn't one.
int sqlite_log_read(const void *index, struct sqlite_log_state *state);

/// Takes (1) or gives back (0) the right to checkpoint, so that no other connection begins a checkpoint meanwhile; the
/// connection itself goes on to checkpoint as it likes. It never waits. Returns 0 where somebody else is checkpointing
/// now: then the connection's next checkpoint takes the right and keeps it. Closing the connection, or the end of the
/// process, gives it back.
int sqlite_log_reserve(struct sqlite3 *connection, int reserve);

/// Whether another connection is within a transaction that writes (`WAL_WRITE_LOCK` is taken: "WAL-mode File Format",
/// section 2.3.1). It never waits. Call it on the connection's own thread, outside of a transaction; the lock is held for
/// that moment.
int sqlite_log_is_written(struct sqlite3 *connection);

/// The open write-ahead log of a connection, or NULL where it isn't in WAL mode. It stays open until the connection is
/// closed. Call it on the connection's own thread, after it has read from the database.
const void *sqlite_log_file(struct sqlite3 *connection);

/// Presses what was committed to such a log to the disk, on any thread and beside the connection's own statements.
/// Returns SQLite's result code.
int sqlite_log_sync(const void *file);

#endif
