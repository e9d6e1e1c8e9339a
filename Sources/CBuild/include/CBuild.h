#ifndef VQVAE_CBUILD_H
#define VQVAE_CBUILD_H

#include <stdbool.h>

/// The commit that this program was built from, 40 hexadecimal digits; or null if Package.swift was not in a
/// git repository, for instance unpacked from a tar file.
const char *vqvae_commit(void);

/// Whether the repository had changes that are not in that commit.
bool vqvae_has_uncommitted_changes(void);

#endif
