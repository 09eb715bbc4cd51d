#define _GNU_SOURCE

#include "memory.h"

#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

void memory_trim(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

// Only segments that can't be written: what is in memory of them is what is in the file.
static int release_segments(struct dl_phdr_info *object, size_t size, void *page) {
  const uintptr_t mask = *(const uintptr_t *)page - 1;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0) continue;
    const uintptr_t first = ((uintptr_t)object->dlpi_addr + segment->p_vaddr + mask) & ~mask;
    const uintptr_t end = ((uintptr_t)object->dlpi_addr + segment->p_vaddr + segment->p_filesz) & ~mask;
    if (first < end) madvise((void *)first, end - first, MADV_DONTNEED);
  }
  return 0;
}

void memory_release_program(void) {
  const long size = sysconf(_SC_PAGESIZE);
  if (size <= 0) return;
  uintptr_t page = (uintptr_t)size;
  dl_iterate_phdr(release_segments, &page);
}
