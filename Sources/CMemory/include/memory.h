// What the C library's allocator and the system are told, which Swift's own interface to them leaves out.
#ifndef UPKEEP_MEMORY_H
#define UPKEEP_MEMORY_H

/// Gives memory that is free inside the heap back to the system. Does nothing where the C library can't.
void memory_trim(void);

/// Takes the program's own code and constants, and its libraries', out of this process's memory: what is needed of them
/// comes back page by page from the system's cache, where it stays. What only the start needed doesn't.
void memory_release_program(void);

#endif
