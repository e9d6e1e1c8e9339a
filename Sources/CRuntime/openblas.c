// How OpenBLAS starts, and when it allocates its buffers.

#include "CRuntime.h"

#include <pthread.h>
#include <sys/mman.h>

/// Replaces the function of the same name in OpenBLAS, which returns the number of threads to start while
/// the library is loaded.
///
/// One, because our worker pool provides the threads. More would waste memory, and if the system refuses
/// threads, OpenBLAS raises SIGINT before `main` runs.
int openblas_num_threads_env(void) { return 1; }

// Exported by OpenBLAS, but not declared in its headers.
extern void *blas_memory_alloc(int) __attribute__((weak));
extern void blas_memory_free(void *) __attribute__((weak));

enum {
  // BUFFER_SIZE of OpenBLAS on x86-64 and Arm, 32 << 22.
  buffer_size = 128 << 20,
  maximum_buffers = 1024,
};

static int can_map_buffer(void) {
  void *memory =
      mmap(0, buffer_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 0;
  munmap(memory, buffer_size);
  return 1;
}

int vqvae_reserve_blas_buffers(int count) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  static int reserved = 0;
  static void *buffers[maximum_buffers];
  if (!blas_memory_alloc || !blas_memory_free) return count;
  if (count > maximum_buffers) count = maximum_buffers;
  pthread_mutex_lock(&mutex);
  int taken = 0;
  while (taken < count && (taken < reserved || can_map_buffer()))
    buffers[taken++] = blas_memory_alloc(0);
  for (int i = 0; i < taken; i++) blas_memory_free(buffers[i]);
  if (taken > reserved) reserved = taken;
  pthread_mutex_unlock(&mutex);
  return taken;
}
