// Which instructions the processor and the system support.

#include "CRuntime.h"

#if defined(__x86_64__)

// __builtin_cpu_supports also asks the system whether it saves the registers.

int vqvae_supports_avx512(void) {
  __builtin_cpu_init();
  return vqvae_supports_avx2() && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

int vqvae_supports_avx2(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("f16c") && __builtin_cpu_supports("lzcnt") &&
         __builtin_cpu_supports("movbe");
}

#else

int vqvae_supports_avx512(void) { return 0; }
int vqvae_supports_avx2(void) { return 0; }

#endif
