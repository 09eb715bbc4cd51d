// What the C library's allocator is told, which Swift's own interface to it leaves out.
#ifndef UPKEEP_MEMORY_H
#define UPKEEP_MEMORY_H

/// Gives memory that is free inside the heap back to the system. Does nothing where the C library can't.
void memory_trim(void);

#endif
