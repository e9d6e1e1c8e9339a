#!/usr/bin/env bash
# Runs the program on emulated x86-64 processors, with and without AVX2, and compares the checkpoints of our kernels
# with those of this processor byte for byte.
# Usage: scripts/other_processors.sh path/to/vqvae
#
# Needs qemu-x86_64 (package qemu-user), which emulates AVX2 from version 7.2 on, and no AVX-512.
# Exit status: 0 all is well, or this is not an x86-64 machine; 1 a run failed or differs; 64 wrong arguments; 69 no
# qemu-x86_64.
set -euo pipefail

[[ $# == 1 && -x $1 ]] || {
  echo "usage: scripts/other_processors.sh path/to/vqvae" >&2
  exit 64
}
if [[ $(uname -m) != x86_64 ]]; then
  echo "skipped: the emulated processors are x86-64"
  exit 0
fi
command -v qemu-x86_64 >/dev/null || {
  echo "other_processors: needs qemu-x86_64; install the package qemu-user" >&2
  exit 69
}

vqvae=$(realpath "$1")
config=$(realpath "$(dirname "$0")/..")/configs/smoke.yaml
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# check KERNELS RUN COMMAND…: trains, evaluates and reconstructs with a command that runs the program.
check() {
  local kernels=$1 run=$2
  shift 2
  {
    "$@" train --config "$config" --run "$run" --set training.steps=4 --set data.images=64 2>"$run.log" &&
      "$@" eval "$run" --json >"$run.json" 2>>"$run.log" &&
      "$@" reconstruct "$run" --count 4 --out "$run.png" >>"$run.log" 2>&1
  } >/dev/null || {
    cat "$run.log" >&2
    echo "other_processors: $run failed" >&2
    exit 1
  }
  grep -q "$kernels kernels" "$run.log" || {
    echo "other_processors: $run: expected the $kernels kernels, found: $(grep -o '[a-z0-9]* kernels' "$run.log")" >&2
    exit 1
  }
}

same() { # RUN
  local file
  for file in checkpoints/last.safetensors checkpoints/best.safetensors; do
    cmp "here/$file" "$1/$file"
  done
  cmp here.png "$1.png"
  echo "$1: the same checkpoints and picture as here"
}

VQVAE_KERNELS=generic check generic here "$vqvae"
QEMU_CPU=Haswell check avx2 haswell qemu-x86_64 "$vqvae"
same haswell
QEMU_CPU=Nehalem check openblas nehalem-openblas qemu-x86_64 "$vqvae"
echo "nehalem-openblas: trains, evaluates and reconstructs"
VQVAE_KERNELS=generic QEMU_CPU=Nehalem check generic nehalem qemu-x86_64 "$vqvae"
same nehalem
