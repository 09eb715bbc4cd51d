// For strdup and fileno, which C11 alone lacks.
#define _POSIX_C_SOURCE 200809L

#include "fault_vfs.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECTOR 512
#define DISKS 64

/// A write since the last sync, or a truncation to `offset` where there are no bytes.
struct change {
  sqlite3_int64 offset;
  size_t length;
  unsigned char *bytes;
};

/// A file's content, apart from its name: a removed file may come back in a power cut, a created one may be lost.
struct node {
  unsigned char *synced;
  size_t size;
  struct change *changes;
  size_t count, capacity;
  struct node *next;
};

/// A name: what it stands for now, and what it would stand for after a power cut if its folder isn't synced.
struct entry {
  char *path;
  struct node *now, *durable;
  struct entry *next;
};

struct disk {
  char *folder;
  struct entry *entries;
  struct node *nodes;
  fault_kind kind;
  long long at;
  long long counts[FAULT_KINDS];
  int lasting, struck, dead;
};

/// An open file; the system's own file object lies right behind it.
struct handle {
  sqlite3_file base;
  struct disk *disk;
  struct node *node;
  int syncs_folder;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct disk *disks[DISKS];
static sqlite3_vfs *system_vfs;
static sqlite3_vfs fault_vfs;

static sqlite3_file *real(sqlite3_file *file) { return (sqlite3_file *)((struct handle *)file + 1); }

// MARK: What is durable

static struct node *node_new(struct disk *disk) {
  struct node *node = calloc(1, sizeof *node);
  if (node) {
    node->next = disk->nodes;
    disk->nodes = node;
  }
  return node;
}

static int node_note(struct node *node, sqlite3_int64 offset, const void *bytes, size_t length) {
  if (node->count == node->capacity) {
    size_t capacity = node->capacity ? node->capacity * 2 : 64;
    struct change *changes = realloc(node->changes, capacity * sizeof *changes);
    if (!changes) return SQLITE_NOMEM;
    node->changes = changes;
    node->capacity = capacity;
  }
  struct change change = {offset, length, NULL};
  if (bytes) {
    change.bytes = malloc(length ? length : 1);
    if (!change.bytes) return SQLITE_NOMEM;
    memcpy(change.bytes, bytes, length);
  }
  node->changes[node->count++] = change;
  return SQLITE_OK;
}

/// Resizes an image; new bytes are zeros, as in a file with a hole.
static int image_resize(unsigned char **image, size_t *size, size_t wanted) {
  unsigned char *grown = realloc(*image, wanted ? wanted : 1);
  if (!grown) return SQLITE_NOMEM;
  if (wanted > *size) memset(grown + *size, 0, wanted - *size);
  *image = grown;
  *size = wanted;
  return SQLITE_OK;
}

static int image_write(unsigned char **image, size_t *size, size_t offset, const unsigned char *bytes, size_t length) {
  if (offset + length > *size && image_resize(image, size, offset + length) != SQLITE_OK) return SQLITE_NOMEM;
  memcpy(*image + offset, bytes, length);
  return SQLITE_OK;
}

static int node_sync(struct node *node) {
  int code = SQLITE_OK;
  for (size_t i = 0; i < node->count; i++) {
    struct change *change = &node->changes[i];
    size_t offset = (size_t)change->offset;
    int result = change->bytes ? image_write(&node->synced, &node->size, offset, change->bytes, change->length)
                               : image_resize(&node->synced, &node->size, offset);
    if (result != SQLITE_OK) code = result;
    free(change->bytes);
  }
  node->count = 0;
  return code;
}

static void folder_sync(struct disk *disk) {
  for (struct entry *entry = disk->entries; entry; entry = entry->next) entry->durable = entry->now;
}

/// The entry of a path; a file that nobody opened yet is durable as it lies there.
static struct entry *entry_of(struct disk *disk, const char *path) {
  for (struct entry *entry = disk->entries; entry; entry = entry->next) {
    if (strcmp(entry->path, path) == 0) return entry;
  }
  struct entry *entry = calloc(1, sizeof *entry);
  if (!entry || !(entry->path = strdup(path))) {
    free(entry);
    return NULL;
  }
  FILE *stream = fopen(path, "rb");
  if (stream) {
    struct stat information;
    struct node *node = node_new(disk);
    int failed = !node || fstat(fileno(stream), &information) != 0 ||
                 image_resize(&node->synced, &node->size, (size_t)information.st_size) != SQLITE_OK ||
                 fread(node->synced, 1, node->size, stream) != node->size;
    fclose(stream);
    if (failed) {
      free(entry->path);
      free(entry);
      return NULL;
    }
    entry->now = entry->durable = node;
  }
  entry->next = disk->entries;
  disk->entries = entry;
  return entry;
}

static struct disk *disk_of(const char *path) {
  for (int i = 0; path && i < DISKS; i++) {
    size_t length = disks[i] ? strlen(disks[i]->folder) : 0;
    if (length && strncmp(path, disks[i]->folder, length) == 0 && path[length] == '/') return disks[i];
  }
  return NULL;
}

// MARK: Faults

/// Counts an operation, and says whether it fails.
static int strikes(struct disk *disk, fault_kind kind) {
  if (disk->dead) return 1;
  long long count = ++disk->counts[kind];
  long long all = kind == FAULT_POWER ? count : ++disk->counts[FAULT_POWER];
  if (disk->kind == FAULT_POWER && all >= disk->at) {
    disk->struck = disk->dead = 1;
    return 1;
  }
  if (disk->kind != kind || kind == FAULT_POWER) return 0;
  if (count == disk->at || (disk->lasting && count > disk->at)) {
    disk->struck = 1;
    return 1;
  }
  return 0;
}

static int is_dead(sqlite3_file *file) {
  pthread_mutex_lock(&lock);
  int dead = ((struct handle *)file)->disk->dead;
  pthread_mutex_unlock(&lock);
  return dead;
}

// MARK: Files

static int fault_close(sqlite3_file *file) { return real(file)->pMethods->xClose(real(file)); }

static int fault_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 offset) {
  if (is_dead(file)) return SQLITE_IOERR_READ;
  return real(file)->pMethods->xRead(real(file), bytes, length, offset);
}

static int fault_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset) {
  struct handle *handle = (struct handle *)file;
  struct disk *disk = handle->disk;
  pthread_mutex_lock(&lock);
  int was_dead = disk->dead;
  int code = strikes(disk, FAULT_WRITE) ? SQLITE_IOERR_WRITE : SQLITE_OK;
  // The write that the power cut hits may have reached the disk in part.
  if (code != SQLITE_OK && disk->dead && !was_dead) node_note(handle->node, offset, bytes, (size_t)length);
  if (code == SQLITE_OK) {
    sqlite3_int64 size = 0;
    code = real(file)->pMethods->xFileSize(real(file), &size);
    sqlite3_int64 growth = offset + length > size ? offset + length - size : 0;
    if (disk->kind == FAULT_FULL && growth > 0 && disk->counts[FAULT_FULL] + growth > disk->at) {
      disk->struck = 1;
      code = SQLITE_FULL;
    }
    if (code == SQLITE_OK) code = real(file)->pMethods->xWrite(real(file), bytes, length, offset);
    if (code == SQLITE_OK) {
      disk->counts[FAULT_FULL] += growth;
      code = node_note(handle->node, offset, bytes, (size_t)length);
    }
  }
  pthread_mutex_unlock(&lock);
  return code;
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size) {
  struct handle *handle = (struct handle *)file;
  pthread_mutex_lock(&lock);
  int was_dead = handle->disk->dead;
  int code = strikes(handle->disk, FAULT_TRUNCATE) ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
  if (code != SQLITE_OK && handle->disk->dead && !was_dead) node_note(handle->node, size, NULL, 0);
  if (code == SQLITE_OK) code = real(file)->pMethods->xTruncate(real(file), size);
  if (code == SQLITE_OK) code = node_note(handle->node, size, NULL, 0);
  pthread_mutex_unlock(&lock);
  return code;
}

static int fault_sync(sqlite3_file *file, int flags) {
  (void)flags;
  struct handle *handle = (struct handle *)file;
  pthread_mutex_lock(&lock);
  int code = strikes(handle->disk, FAULT_SYNC) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
  // The machine's real disk isn't synced: nothing here has to outlive the test.
  if (code == SQLITE_OK) code = node_sync(handle->node);
  if (code == SQLITE_OK && handle->syncs_folder) {
    folder_sync(handle->disk);
    handle->syncs_folder = 0;
  }
  pthread_mutex_unlock(&lock);
  return code;
}

static int fault_size(sqlite3_file *file, sqlite3_int64 *size) {
  return is_dead(file) ? SQLITE_IOERR_FSTAT : real(file)->pMethods->xFileSize(real(file), size);
}

static int fault_lock(sqlite3_file *file, int level) {
  return is_dead(file) ? SQLITE_IOERR_LOCK : real(file)->pMethods->xLock(real(file), level);
}

// Locks can be given back after a power cut as well: the connections of the test's process still have to be closed.
static int fault_unlock(sqlite3_file *file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }

static int fault_check_lock(sqlite3_file *file, int *result) {
  if (is_dead(file)) return SQLITE_IOERR_CHECKRESERVEDLOCK;
  return real(file)->pMethods->xCheckReservedLock(real(file), result);
}

static int fault_control(sqlite3_file *file, int operation, void *argument) {
  return real(file)->pMethods->xFileControl(real(file), operation, argument);
}

static int fault_sector(sqlite3_file *file) {
  (void)file;
  return SECTOR;
}

static int fault_characteristics(sqlite3_file *file) {
  (void)file;
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

// The wal-index isn't watched: SQLite makes it anew from the log after a power cut.
static int fault_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **memory) {
  if (is_dead(file)) return SQLITE_IOERR_SHMMAP;
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, memory);
}

static int fault_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
  if (is_dead(file) && (flags & SQLITE_SHM_LOCK)) return SQLITE_IOERR_SHMLOCK;
  return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void fault_shm_barrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }

static int fault_shm_unmap(sqlite3_file *file, int removes) {
  return real(file)->pMethods->xShmUnmap(real(file), removes);
}

// Version 2: memory mapping (version 3) isn't offered, since it would read past this file.
static const sqlite3_io_methods fault_methods = {
    2,           fault_close,      fault_read,    fault_write,  fault_truncate,        fault_sync,    fault_size,
    fault_lock,  fault_unlock,     fault_check_lock, fault_control, fault_sector, fault_characteristics, fault_shm_map,
    fault_shm_lock, fault_shm_barrier, fault_shm_unmap, NULL, NULL};

// MARK: Names

static int fault_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *given) {
  (void)vfs;
  pthread_mutex_lock(&lock);
  struct disk *disk = disk_of(path);
  if (!disk) {
    pthread_mutex_unlock(&lock);
    return system_vfs->xOpen(system_vfs, path, file, flags, given);
  }
  struct handle *handle = (struct handle *)file;
  memset(handle, 0, sizeof *handle);
  struct entry *entry = disk->dead ? NULL : entry_of(disk, path);
  int code = entry ? SQLITE_OK : SQLITE_CANTOPEN;
  int creates = entry && !entry->now && (flags & SQLITE_OPEN_CREATE);
  if (creates && strikes(disk, FAULT_POWER)) code = SQLITE_CANTOPEN;
  if (code == SQLITE_OK) code = system_vfs->xOpen(system_vfs, path, real(file), flags, given);
  if (code == SQLITE_OK && creates) {
    entry->now = node_new(disk);
    if (!entry->now) code = SQLITE_NOMEM;
  }
  if (code == SQLITE_OK) {
    // As the system's VFS: whoever may have created a journal or log syncs its folder at the first sync of it.
    handle->syncs_folder = (flags & SQLITE_OPEN_CREATE) != 0 &&
                           (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL)) != 0;
    handle->disk = disk;
    handle->node = entry->now;
    handle->base.pMethods = &fault_methods;
  } else if (real(file)->pMethods) {
    real(file)->pMethods->xClose(real(file));
  }
  pthread_mutex_unlock(&lock);
  return code;
}

static int fault_delete(sqlite3_vfs *vfs, const char *path, int syncs_folder) {
  (void)vfs;
  pthread_mutex_lock(&lock);
  struct disk *disk = disk_of(path);
  if (!disk) {
    pthread_mutex_unlock(&lock);
    return system_vfs->xDelete(system_vfs, path, syncs_folder);
  }
  struct entry *entry = disk->dead ? NULL : entry_of(disk, path);
  int code = entry ? SQLITE_OK : SQLITE_IOERR_DELETE;
  if (code == SQLITE_OK && strikes(disk, FAULT_POWER)) {
    // The removal that the power cut hits may have reached the disk.
    entry->now = NULL;
    code = SQLITE_IOERR_DELETE;
  }
  if (code == SQLITE_OK) code = system_vfs->xDelete(system_vfs, path, 0);
  if (code == SQLITE_OK) {
    entry->now = NULL;
    if (syncs_folder) folder_sync(disk);
  }
  pthread_mutex_unlock(&lock);
  return code;
}

static int fault_access(sqlite3_vfs *vfs, const char *path, int flags, int *result) {
  (void)vfs;
  pthread_mutex_lock(&lock);
  struct disk *disk = disk_of(path);
  int dead = disk && disk->dead;
  pthread_mutex_unlock(&lock);
  return dead ? SQLITE_IOERR_ACCESS : system_vfs->xAccess(system_vfs, path, flags, result);
}

static void fault_register(void) {
  system_vfs = sqlite3_vfs_find("unix");
  if (!system_vfs) return;
  fault_vfs = *system_vfs;
  fault_vfs.zName = "fault";
  fault_vfs.pNext = NULL;
  // Large enough for a file of the system's VFS alone, which files outside every disk are.
  fault_vfs.szOsFile = (int)sizeof(struct handle) + system_vfs->szOsFile;
  fault_vfs.xOpen = fault_open;
  fault_vfs.xDelete = fault_delete;
  fault_vfs.xAccess = fault_access;
  sqlite3_vfs_register(&fault_vfs, 1);
}

// MARK: Disks

int fault_disk_new(const char *folder) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, fault_register);
  if (!system_vfs) return 0;
  struct disk *disk = calloc(1, sizeof *disk);
  if (!disk || !(disk->folder = strdup(folder))) {
    free(disk);
    return 0;
  }
  int number = 0;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < DISKS && !number; i++) {
    if (!disks[i]) {
      disks[i] = disk;
      number = i + 1;
    }
  }
  pthread_mutex_unlock(&lock);
  if (!number) {
    free(disk->folder);
    free(disk);
  }
  return number;
}

static void node_free(struct node *node) {
  for (size_t i = 0; i < node->count; i++) free(node->changes[i].bytes);
  free(node->changes);
  free(node->synced);
  free(node);
}

void fault_disk_free(int number) {
  pthread_mutex_lock(&lock);
  struct disk *disk = disks[number - 1];
  disks[number - 1] = NULL;
  pthread_mutex_unlock(&lock);
  while (disk->entries) {
    struct entry *entry = disk->entries;
    disk->entries = entry->next;
    free(entry->path);
    free(entry);
  }
  while (disk->nodes) {
    struct node *node = disk->nodes;
    disk->nodes = node->next;
    node_free(node);
  }
  free(disk->folder);
  free(disk);
}

void fault_disk_plan(int number, fault_kind kind, long long at, int lasting) {
  pthread_mutex_lock(&lock);
  struct disk *disk = disks[number - 1];
  disk->kind = kind;
  disk->at = at;
  disk->lasting = lasting;
  disk->struck = 0;
  memset(disk->counts, 0, sizeof disk->counts);
  pthread_mutex_unlock(&lock);
}

long long fault_disk_count(int number, fault_kind kind) {
  pthread_mutex_lock(&lock);
  long long count = disks[number - 1]->counts[kind];
  pthread_mutex_unlock(&lock);
  return count;
}

int fault_disk_struck(int number) {
  pthread_mutex_lock(&lock);
  int struck = disks[number - 1]->struck;
  pthread_mutex_unlock(&lock);
  return struck;
}

void fault_disk_cut(int number) {
  pthread_mutex_lock(&lock);
  disks[number - 1]->dead = 1;
  pthread_mutex_unlock(&lock);
}

// MARK: After a power cut

/// SplitMix64
static unsigned long long draw(unsigned long long *state) {
  unsigned long long mixed = (*state += 0x9E3779B97F4A7C15ULL);
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
  return mixed ^ (mixed >> 31);
}

/// Applies any choice of a change's sectors; a truncation is done whole or not.
static int apply_torn(const struct change *change, unsigned char **image, size_t *size, unsigned long long *state) {
  size_t offset = (size_t)change->offset;
  if (!change->bytes) return draw(state) % 2 ? image_resize(image, size, offset) : SQLITE_OK;
  size_t done = 0;
  while (done < change->length) {
    size_t piece = SECTOR - (offset + done) % SECTOR;
    if (piece > change->length - done) piece = change->length - done;
    if (draw(state) % 2 && image_write(image, size, offset + done, change->bytes + done, piece) != SQLITE_OK) {
      return SQLITE_NOMEM;
    }
    done += piece;
  }
  return SQLITE_OK;
}

static int apply(const struct change *change, unsigned char **image, size_t *size) {
  if (!change->bytes) return image_resize(image, size, (size_t)change->offset);
  return image_write(image, size, (size_t)change->offset, change->bytes, change->length);
}

static int survive_node(const struct node *node, const char *path, unsigned long long *state) {
  unsigned char *image = NULL;
  size_t size = 0;
  int code = image_resize(&image, &size, node->size);
  if (code == SQLITE_OK && node->size) memcpy(image, node->synced, node->size);
  // 0: nothing unsynced; 1: all of it; 2: a beginning, and a part of the write after it; 3: any choice of writes and
  // sectors.
  unsigned long long way = *state ? draw(state) % 4 : 0;
  size_t whole = way == 1 ? node->count : way == 2 && node->count ? (size_t)(draw(state) % node->count) : 0;
  for (size_t i = 0; way && i < node->count && code == SQLITE_OK; i++) {
    const struct change *change = &node->changes[i];
    if (i < whole) {
      code = apply(change, &image, &size);
    } else if (way == 2) {
      code = apply_torn(change, &image, &size, state);
      break;
    } else if (way == 3) {
      unsigned long long chance = draw(state) % 3;
      if (chance == 1) code = apply(change, &image, &size);
      if (chance == 2) code = apply_torn(change, &image, &size, state);
    }
  }
  int result = code == SQLITE_OK ? 0 : ENOMEM;
  FILE *stream = result ? NULL : fopen(path, "wb");
  if (!result && (!stream || fwrite(image, 1, size, stream) != size)) result = errno ? errno : EIO;
  if (stream && fclose(stream) != 0 && !result) result = errno;
  free(image);
  return result;
}

int fault_disk_survive(int number, const char *folder, unsigned long long seed) {
  pthread_mutex_lock(&lock);
  struct disk *disk = disks[number - 1];
  unsigned long long state = seed;
  int result = 0;
  for (struct entry *entry = disk->entries; entry && !result; entry = entry->next) {
    const struct node *node = entry->durable;
    if (entry->now != entry->durable && seed && draw(&state) % 2) node = entry->now;
    if (!node) continue;
    const char *name = strrchr(entry->path, '/');
    size_t length = strlen(folder) + strlen(name) + 1;
    char *path = malloc(length);
    if (!path) {
      result = ENOMEM;
      break;
    }
    snprintf(path, length, "%s%s", folder, name);
    result = survive_node(node, path, &state);
    free(path);
  }
  pthread_mutex_unlock(&lock);
  return result;
}
