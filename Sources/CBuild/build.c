// Facts that Package.swift knows when it is evaluated, and passes as macros. Only this file is compiled again
// after a commit.

#include "CBuild.h"

#include <stddef.h>

const char *vqvae_commit(void) {
#ifdef VQVAE_COMMIT
  return VQVAE_COMMIT;
#else
  return NULL;
#endif
}
