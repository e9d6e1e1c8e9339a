#!/usr/bin/env bash
# Checks that Swift is there, and installs the Debian or Ubuntu packages that vqvae needs, if they are missing.
# Usage: scripts/install_packages.sh [OPTION …]
#   --faults        also what scripts/faults needs
#   --package       also what scripts/package.sh needs
#   --test-package  also what scripts/test_package.sh needs
#   --kernels       also what scripts/check_kernels.py needs
#   --emulator      also what scripts/other_processors.sh needs
#
# Environment:
#   INSTALL_SWIFT=1  install Swift with scripts/install_swift.sh if it is missing
set -euo pipefail

here=$(dirname "$0")
packages=(libopenblas-dev liblapacke-dev libpng-dev pkg-config)
programs=(pkg-config)
for option in "$@"; do
  case $option in
    --faults) packages+=(python3 gcc libc6-dev) programs+=(python3 cc) ;;
    --package) packages+=(python3 dpkg-dev binutils) programs+=(python3 dpkg-shlibdeps strip) ;;
    --test-package) packages+=(lintian debootstrap man-db) programs+=(lintian debootstrap man) ;;
    --kernels) packages+=(python3 binutils llvm) programs+=(python3 objdump llvm-objdump) ;;
    --emulator) packages+=(qemu-user) programs+=(qemu-x86_64) ;;
    *)
      echo "usage: scripts/install_packages.sh [--faults] [--package] [--test-package] [--kernels] [--emulator]" >&2
      exit 64
      ;;
  esac
done

has() {
  # debootstrap is in /usr/sbin, which is not on everyone's PATH.
  PATH=$PATH:/usr/sbin command -v "$1" >/dev/null || { [[ $1 == cc ]] && command -v clang >/dev/null; }
}
have_all() {
  local name
  for name in "${programs[@]}"; do has "$name" || return 1; done
  pkg-config --exists openblas lapacke libpng
}

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi

# apt PACKAGE…
apt() {
  if ! command -v apt-get >/dev/null; then
    echo "vqvae: apt-get is not available to install $*" >&2
    exit 69
  fi
  if [ "${#as_root[@]}" -gt 0 ] && ! command -v sudo >/dev/null; then
    echo "vqvae: as root, run: apt-get install $*" >&2
    exit 69
  fi
  echo "installing $*" >&2
  local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y
    --no-install-recommends "$@")
  # A first failure is usually due to outdated or missing package lists.
  if ! "${install[@]}" >/dev/null 2>&1; then
    "${as_root[@]}" apt-get update -qq || true
    "${install[@]}" >/dev/null || {
      echo "vqvae: apt-get could not install $*" >&2
      exit 69
    }
  fi
}

# Where swiftly puts swift; the Makefile has it on its PATH too.
PATH=$PATH:${SWIFTLY_BIN_DIR:-${HOME:-}/.local/share/swiftly/bin}
if ! command -v swift >/dev/null && [ "${INSTALL_SWIFT:-}" = 1 ]; then
  for name in curl gpg; do
    command -v "$name" >/dev/null || { apt curl ca-certificates gnupg && break; }
  done
  "$here/install_swift.sh"
  hash -r
fi
if ! command -v swift >/dev/null; then
  cat >&2 <<END
vqvae: cannot build, because Swift is missing
  expected: Swift 6.2 or newer on the PATH
  found:    no program named swift
  to do:    run the same make again with INSTALL_SWIFT=1, or install it by hand.

$("$here/install_swift.sh" --how)
END
  exit 69
fi
version=$({ swift --version 2>/dev/null || true; } | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -1)
if [ "$(printf '%s\n' 6.2 "${version:-0}" | sort -V | head -1)" != 6.2 ]; then
  cat >&2 <<END
vqvae: cannot build, because Swift is too old
  expected: Swift 6.2 or newer
  found:    ${version:-an unknown version} in $(command -v swift)
  to do:    update it, or remove its folder from the PATH and install a newer one.

$("$here/install_swift.sh" --how)
END
  exit 69
fi
if have_all; then exit 0; fi

apt "${packages[@]}"
have_all || {
  echo "vqvae: ${packages[*]} are installed, but pkg-config does not find openblas, lapacke and libpng," \
    "or one of these programs is missing: ${programs[*]}" >&2
  exit 69
}
