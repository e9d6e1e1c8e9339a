#ifndef VQVAE_CBUILD_H
#define VQVAE_CBUILD_H

/// The commit that this program was built from, with words about changes that are not in it; or null if
/// Package.swift was not in a git repository, for instance unpacked from a tar file.
const char *vqvae_commit(void);

#endif
