#define _GNU_SOURCE

#include "child.h"

#include <fcntl.h>
#include <unistd.h>

int child_work_in(posix_spawn_file_actions_t *actions, const char *folder) {
  return posix_spawn_file_actions_addchdir_np(actions, folder);
}

int child_close_from(posix_spawn_file_actions_t *actions, int first) {
  return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

int child_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
