#include "sqlite_log.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// SQLite writes each page of a commit to the log in two system calls, one for the header of the frame and one for the
// page. Under the write lock of a live application these calls are most of what a commit costs. This VFS lies over the
// system's own and gathers the frames of a commit.
//
// What makes that safe: frames become visible when SQLite, after the last write of a commit, publishes them in the
// wal-index. The last frame of a commit says so in its header (a database size other than 0: "WAL File Format", section
// 2), so all that was gathered is written within the call that writes its page, and an error of the disk is returned by
// that call as ever. Nothing is kept back over a sync, a read, a truncation or a write that doesn't follow the pattern
// of header and page.

enum { FRAME_HEADER = 24, CHUNK = 65536, GATHERED = 1 << 19, STATEMENT_JOURNAL = 2 << 20, WRITE_LOCK = 0, CHECKPOINT_LOCK = 1 };

/// An open file; `real` is the file of the VFS below.
struct handle {
  sqlite3_file base;
  sqlite3_file *real;
  unsigned char *frames;
  sqlite3_int64 offset;
  int length;
  /// Whether a page must come next, and whether it is the last one of a commit.
  int wants_page, is_last;
  /// Whether the right to checkpoint is kept from one checkpoint to the next, and whether it is held.
  int keeps_right, has_right;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sqlite3_vfs *below;
static sqlite3_vfs log_vfs;
static sqlite3_io_methods methods[4];

static sqlite3_file *real(sqlite3_file *file) { return ((struct handle *)file)->real; }

/// Writes piece by piece: the system's VFS takes less than 128 KiB at once, and says of 4 MiB that the disk is full
/// (`seekAndWriteFd` in `os_unix.c`). A statement's journal that leaves the memory is written as a whole.
static int write_pieces(sqlite3_file *file, const unsigned char *bytes, int count, sqlite3_int64 offset) {
  int result = SQLITE_OK;
  for (int at = 0; at < count && result == SQLITE_OK; at += CHUNK) {
    int rest = count - at;
    result = file->pMethods->xWrite(file, bytes + at, rest < CHUNK ? rest : CHUNK, offset + at);
  }
  return result;
}

/// Writes what was gathered.
static int flush(struct handle *handle) {
  int result = write_pieces(handle->real, handle->frames, handle->length, handle->offset);
  handle->length = 0;
  return result;
}

static int log_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
  struct handle *handle = (struct handle *)file;
  if (!handle->frames) return write_pieces(real(file), bytes, count, offset);
  int follows = handle->length > 0 && offset == handle->offset + handle->length;
  int is_page = handle->wants_page && follows && count >= 512 && (count & (count - 1)) == 0;
  int is_header = !handle->wants_page && count == FRAME_HEADER;
  if (!follows || !(is_page || is_header) || handle->length + count > GATHERED) {
    int result = flush(handle);
    if (result != SQLITE_OK) return result;
    handle->offset = offset;
  }
  if (!is_page && !is_header) {
    handle->wants_page = 0;
    return write_pieces(real(file), bytes, count, offset);
  }
  memcpy(handle->frames + handle->length, bytes, (size_t)count);
  handle->length += count;
  handle->wants_page = is_header;
  if (is_header) {
    const unsigned char *header = bytes;
    handle->is_last = (header[4] | header[5] | header[6] | header[7]) != 0;
    return SQLITE_OK;
  }
  return handle->is_last ? flush(handle) : SQLITE_OK;
}

// MARK: Calls that must find everything written

static int log_close(sqlite3_file *file) {
  struct handle *handle = (struct handle *)file;
  int written = flush(handle);
  int result = real(file)->pMethods->xClose(real(file));
  free(handle->frames);
  free(handle->real);
  return written != SQLITE_OK ? written : result;
}

static int log_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
  int result = flush((struct handle *)file);
  return result != SQLITE_OK ? result : real(file)->pMethods->xRead(real(file), bytes, count, offset);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size) {
  int result = flush((struct handle *)file);
  return result != SQLITE_OK ? result : real(file)->pMethods->xTruncate(real(file), size);
}

static int log_sync(sqlite3_file *file, int flags) {
  int result = flush((struct handle *)file);
  return result != SQLITE_OK ? result : real(file)->pMethods->xSync(real(file), flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size) {
  int result = flush((struct handle *)file);
  return result != SQLITE_OK ? result : real(file)->pMethods->xFileSize(real(file), size);
}

// MARK: Calls that are handed on

static int log_lock(sqlite3_file *file, int level) { return real(file)->pMethods->xLock(real(file), level); }
static int log_unlock(sqlite3_file *file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }
static int log_reserved(sqlite3_file *file, int *is) { return real(file)->pMethods->xCheckReservedLock(real(file), is); }
static int log_control(sqlite3_file *file, int what, void *value) {
  return real(file)->pMethods->xFileControl(real(file), what, value);
}
static int log_sector(sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); }
static int log_device(sqlite3_file *file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }
static int log_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **memory) {
  return real(file)->pMethods->xShmMap(real(file), region, size, extend, memory);
}

/// WAL_CKPT_LOCK, the lock that a checkpoint holds ("WAL-mode File Format", section 2.3.2), is kept where it is reserved:
/// were it given back after each checkpoint, a commit of the application that comes at that moment would take it, and
/// checkpoint itself.
static int log_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
  struct handle *handle = (struct handle *)file;
  int is_right = offset == CHECKPOINT_LOCK && count == 1 && (flags & SQLITE_SHM_EXCLUSIVE);
  if (is_right && handle->keeps_right) {
    if (flags & SQLITE_SHM_UNLOCK) return SQLITE_OK;
    if (handle->has_right) return SQLITE_OK;
    int result = real(file)->pMethods->xShmLock(real(file), offset, count, flags);
    handle->has_right = result == SQLITE_OK;
    return result;
  }
  return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void log_shm_barrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }
static int log_shm_unmap(sqlite3_file *file, int remove) {
  struct handle *handle = (struct handle *)file;
  if (handle->has_right) {
    handle->keeps_right = handle->has_right = 0;
    real(file)->pMethods->xShmLock(real(file), CHECKPOINT_LOCK, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
  }
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}
static int log_fetch(sqlite3_file *file, sqlite3_int64 offset, int count, void **bytes) {
  return real(file)->pMethods->xFetch(real(file), offset, count, bytes);
}
static int log_unfetch(sqlite3_file *file, sqlite3_int64 offset, void *bytes) {
  return real(file)->pMethods->xUnfetch(real(file), offset, bytes);
}

static int log_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out) {
  (void)vfs;
  struct handle *handle = (struct handle *)file;
  memset(handle, 0, sizeof *handle);
  pthread_mutex_lock(&lock);
  sqlite3_vfs *base = below;
  pthread_mutex_unlock(&lock);
  handle->real = calloc(1, (size_t)base->szOsFile);
  if (flags & SQLITE_OPEN_WAL) handle->frames = malloc(GATHERED);
  if (!handle->real || ((flags & SQLITE_OPEN_WAL) && !handle->frames)) {
    free(handle->real);
    free(handle->frames);
    return SQLITE_NOMEM;
  }
  int result = base->xOpen(base, name, handle->real, flags, out);
  if (!handle->real->pMethods) {
    free(handle->real);
    free(handle->frames);
    return result;
  }
  // SQLite closes a file that has methods, even one that couldn't be opened whole.
  int version = handle->real->pMethods->iVersion;
  file->pMethods = &methods[version < 1 ? 1 : version > 3 ? 3 : version];
  return result;
}

// MARK: For the driver

void sqlite_log_prepare(void) {
  pthread_mutex_lock(&lock);
  // A statement that may fail halfway keeps the pages as they were before it. Beyond 64 KiB SQLite makes a file for them,
  // for each statement of each batch: that doubled the time of a deletion whose pages lie apart. This is refused once
  // SQLite is in use, and then only costs time.
  if (!below) {
    sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, STATEMENT_JOURNAL);
#ifdef __GLIBC__
    // Statements run on whatever thread is free; with a heap for each of them a purge takes a sixth more memory.
    mallopt(M_ARENA_MAX, 1);
#endif
  }
  sqlite3_vfs *current = sqlite3_vfs_find(NULL);
  if (current && current != &log_vfs) {
    for (int version = 1; version <= 3; version++) {
      methods[version] = (sqlite3_io_methods){
          version, log_close, log_read, log_write, log_truncate, log_sync, log_size, log_lock, log_unlock,
          log_reserved, log_control, log_sector, log_device, log_shm_map, log_shm_lock, log_shm_barrier,
          log_shm_unmap, log_fetch, log_unfetch};
    }
    below = current;
    log_vfs = *current;
    log_vfs.szOsFile = sizeof(struct handle);
    log_vfs.zName = "upkeep-log";
    log_vfs.pNext = NULL;
    log_vfs.xOpen = log_open;
    sqlite3_vfs_register(&log_vfs, 1);
  }
  pthread_mutex_unlock(&lock);
}

static sqlite3_file *main_file(struct sqlite3 *connection) {
  sqlite3_file *file = NULL;
  if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) return NULL;
  return file && file->pMethods && file->pMethods->iVersion >= 2 ? file : NULL;
}

const void *sqlite_log_index(struct sqlite3 *connection) {
  sqlite3_file *file = main_file(connection);
  void volatile *memory = NULL;
  if (!file || file->pMethods->xShmMap(file, 0, 32768, 0, &memory) != SQLITE_OK) return NULL;
  return (const void *)memory;
}

int sqlite_log_read(const void *index, struct sqlite_log_state *state) {
  const volatile uint32_t *words = index;
  if (!words || words[0] != 3007000) return 0;
  uint32_t size = words[3] >> 16;
  // Numbers are in the machine's byte order (little-endian here, where the page size is a word's upper half).
  *state = (struct sqlite_log_state){
      .commits = words[2], .frames = words[4], .checkpointed = words[24], .page_size = size == 1 ? 65536 : size};
  return 1;
}

int sqlite_log_reserve(struct sqlite3 *connection, int reserve) {
  sqlite3_file *file = main_file(connection);
  // A connection from before this VFS was there.
  if (!file || file->pMethods->xShmLock != log_shm_lock) return 0;
  struct handle *handle = (struct handle *)file;
  if (reserve) {
    handle->keeps_right = 1;
    log_shm_lock(file, CHECKPOINT_LOCK, 1, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE);
    return handle->has_right;
  }
  handle->keeps_right = 0;
  if (handle->has_right) {
    handle->has_right = 0;
    log_shm_lock(file, CHECKPOINT_LOCK, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
  }
  return 1;
}

int sqlite_log_is_written(struct sqlite3 *connection) {
  sqlite3_file *file = main_file(connection);
  if (!file || !sqlite_log_index(connection)) return 0;
  int result = file->pMethods->xShmLock(file, WRITE_LOCK, 1, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE);
  if (result != SQLITE_OK) return result == SQLITE_BUSY;
  file->pMethods->xShmLock(file, WRITE_LOCK, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
  return 0;
}

const void *sqlite_log_file(struct sqlite3 *connection) {
  sqlite3_file *file = NULL;
  if (!sqlite_log_index(connection)) return NULL;
  if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK) return NULL;
  return file && file->pMethods && file->pMethods->xSync == log_sync ? real(file) : NULL;
}

int sqlite_log_sync(const void *file) {
  // Not through our own file: what it gathers belongs to the connection's thread. A commit that was acknowledged has left
  // nothing there.
  sqlite3_file *log = (sqlite3_file *)file;
  return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
}
