// Ends the process with a one-line message and exit code 71 when an allocation fails.
//
// Swift arrays, Foundation and libyaml cannot report that memory is exhausted: they abort with a backtrace
// or write through a null pointer. Therefore the allocation functions are wrapped here for the whole
// process: an executable's definitions take precedence over those of the GNU C library.

#include "CRuntime.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

void vqvae_out_of_memory(size_t bytes) {
  // Nothing here may allocate.
  char line[80] = "vqvae: error: out of memory (";
  size_t length = 29;
  char digits[24];
  int count = 0;
  do {
    digits[count++] = '0' + bytes % 10;
    bytes /= 10;
  } while (bytes > 0);
  while (count > 0) line[length++] = digits[--count];
  const char *end = " bytes refused)\n";
  while (*end) line[length++] = *end++;
  if (write(STDERR_FILENO, line, length) < 0) {
    // Nothing more can be reported.
  }
  // Not exit(): its handlers would run while other threads are still working.
  _exit(71);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define VQVAE_SANITIZED 1
#endif
#endif

// Sanitizers replace the same functions, and musl has no __libc_ entry points.
#if defined(__GLIBC__) && !defined(VQVAE_SANITIZED)

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static inline void *checked(void *memory, size_t bytes) {
  if (!memory) vqvae_out_of_memory(bytes);
  return memory;
}

void *malloc(size_t bytes) { return checked(__libc_malloc(bytes), bytes); }

void *calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;
  return checked(__libc_calloc(count, size), bytes);
}

void *realloc(void *memory, size_t bytes) {
  void *result = __libc_realloc(memory, bytes);
  // realloc(p, 0) frees and returns null.
  return bytes == 0 ? result : checked(result, bytes);
}

void *memalign(size_t alignment, size_t bytes) {
  return checked(__libc_memalign(alignment, bytes), bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }

int posix_memalign(void **memory, size_t alignment, size_t bytes) {
  if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
  *memory = memalign(alignment, bytes);
  return 0;
}

#endif
