// What the C library offers for starting processes, which Swift's own interface to it leaves out.
#ifndef UPKEEP_CHILD_H
#define UPKEEP_CHILD_H

#include <spawn.h>

/// Has the process work in a folder. Returns an errno.
int child_work_in(posix_spawn_file_actions_t *actions, const char *folder);

/// Leaves the process only the descriptors below this one. Returns an errno.
int child_close_from(posix_spawn_file_actions_t *actions, int first);

/// Makes a pipe that no process inherits. Returns -1 and sets errno where it can't.
int child_pipe(int ends[2]);

#endif
