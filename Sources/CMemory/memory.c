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

// Whether the loader has written addresses into segments that can't be written otherwise.
static int has_text_relocations(const struct dl_phdr_info *object) {
  for (int i = 0; i < object->dlpi_phnum; i++) {
    if (object->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
    for (; entry->d_tag != DT_NULL; entry++) {
      if (entry->d_tag == DT_TEXTREL || (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0)) return 1;
    }
  }
  return 0;
}

// Only segments that nobody writes: what is in memory of them is what is in the file.
static int release_segments(struct dl_phdr_info *object, size_t size, void *page) {
  if (has_text_relocations(object)) return 0;
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
