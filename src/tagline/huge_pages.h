/* Asks for huge pages: look-ups at random places of a large table mostly wait for the addresses of its pages, of which
   there are 512 times fewer then. Without such pages, and in small tables, nothing happens. */
#if defined(__linux__)
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

static inline void tagline_huge_pages(void *address, size_t size) {
#ifdef MADV_HUGEPAGE
  const uintptr_t page = 4096, large = (uintptr_t)1 << 22;
  uintptr_t start = ((uintptr_t)address + page - 1) & ~(page - 1);
  uintptr_t end = (uintptr_t)address + size;
  if (size >= large) madvise((void *)start, end - start, MADV_HUGEPAGE);
#endif
}
#define TAGLINE_HUGE_PAGES(address, size) tagline_huge_pages(address, size)
#else
#define TAGLINE_HUGE_PAGES(address, size) ((void)(address), (void)(size))
#endif
