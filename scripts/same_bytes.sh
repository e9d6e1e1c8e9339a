#!/usr/bin/env bash
# Trains the same configurations with two builds of vqvae and compares the checkpoints byte for byte.
# Usage: scripts/same_bytes.sh VQVAE OTHER-VQVAE
#
# The shapes are those that the kernels on register tiles support, so OpenBLAS, whose sums differ from one
# processor to another, computes nothing. Each build trains with another number of threads.
#
# Exit status: 0 all are equal, 1 two differ or a run failed, 64 wrong arguments.
set -euo pipefail

[[ $# == 2 && -x $1 && -x $2 ]] || {
  echo "usage: scripts/same_bytes.sh VQVAE OTHER-VQVAE" >&2
  exit 64
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

train() { # PROGRAM THREADS RUN
  "$1" train --config "$folder/c.yaml" --run "$3" --threads "$2" >"$folder/log" 2>&1 || {
    cat "$folder/log" >&2
    exit 1
  }
}

for architecture in residual strided resblock hierarchical; do
  for quantizer in vq ema; do
    cat >"$folder/c.yaml" <<END
data: {kind: synthetic, images: 120}
model: {architecture: $architecture}
quantizer: {kind: $quantizer, codebook_size: 64, dimension: 32}
training: {steps: 4, batch_size: 50, learning_rate: 0.002}
END
    runs=("$folder/$architecture-$quantizer-1" "$folder/$architecture-$quantizer-2")
    train "$1" 1 "${runs[0]}"
    train "$2" 3 "${runs[1]}"
    for file in last best; do
      cmp "${runs[0]}/checkpoints/$file.safetensors" "${runs[1]}/checkpoints/$file.safetensors"
    done
    echo "$architecture, $quantizer: the same bytes"
  done
done
