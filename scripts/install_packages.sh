#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that vqvae needs, if they are missing.
# Usage: scripts/install_packages.sh [--faults]    --faults: also what scripts/faults needs
set -euo pipefail

packages=(libopenblas-dev liblapacke-dev libpng-dev pkg-config)
faults=
if [ "${1:-}" = --faults ]; then
  faults=1
  packages+=(python3 gcc libc6-dev)
fi

have_tools() {
  [ -z "$faults" ] || { command -v python3 && { command -v cc || command -v clang; }; } >/dev/null
}
have_all() {
  command -v pkg-config >/dev/null && pkg-config --exists openblas lapacke libpng && have_tools
}

if ! command -v swift >/dev/null; then
  echo "vqvae: swift is not on the PATH; install Swift 6.2 or newer (https://swift.org/install)" >&2
  exit 69
fi
version=$(swift --version 2>/dev/null | grep -oE 'Swift version [0-9]+\.[0-9]+' | grep -oE '[0-9]+\.[0-9]+' | head -1)
if [ "$(printf '%s\n' 6.2 "${version:-0}" | sort -V | head -1)" != 6.2 ]; then
  echo "vqvae: needs Swift 6.2 or newer, found ${version:-an unknown version}" >&2
  exit 69
fi
have_all && exit 0

if ! command -v apt-get >/dev/null; then
  echo "vqvae: needs OpenBLAS, LAPACKE and libpng with their headers, and pkg-config; apt-get is" \
    "not available to install ${packages[*]}" >&2
  exit 69
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "vqvae: as root, run: apt-get install ${packages[*]}" >&2
    exit 69
  fi
  as_root=(sudo)
fi

echo "installing ${packages[*]}" >&2
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y
  --no-install-recommends "${packages[@]}")
# A first failure is usually due to outdated or missing package lists.
if ! "${install[@]}" >/dev/null 2>&1; then
  "${as_root[@]}" apt-get update -qq || true
  "${install[@]}" >/dev/null || {
    echo "vqvae: apt-get could not install ${packages[*]}" >&2
    exit 69
  }
fi
have_all || {
  echo "vqvae: ${packages[*]} are installed, but pkg-config does not find openblas, lapacke and libpng," \
    "or python3 or cc is missing" >&2
  exit 69
}
