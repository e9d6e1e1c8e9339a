#!/usr/bin/env bash
# Trains some steps on four threads with a vqvae that was built with ThreadSanitizer, and fails on a report.
# Usage: scripts/tsan.sh path/to/vqvae
set -euo pipefail

vqvae=$(realpath "${1:?usage: scripts/tsan.sh path/to/vqvae}")
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Without this symbol, the build does not have ThreadSanitizer, and no race would be found.
grep -q __tsan_init "$vqvae" || {
  echo "tsan: $vqvae was not built with ThreadSanitizer" >&2
  exit 1
}

# Four steps with several shards per batch, two validations and two checkpoints. Everything is small, because
# this is a debug build that ThreadSanitizer makes ten times slower.
train() {
  local name=$1
  shift
  printf '\ntsan: %s\n' "$name"
  local sets=()
  for set in training.steps=4 training.batch_size=40 training.validate_every=2 training.checkpoint_every=2 \
    data.images=60 data.side=16 "$@"; do sets+=(--set "$set"); done
  local status=0
  TSAN_OPTIONS=exitcode=66 "$vqvae" train --config "$config" --run "$folder/$name" --threads 4 "${sets[@]}" \
    || status=$?
  case $status in
    0) ;;
    66) echo "tsan: $name: ThreadSanitizer reports a race, see above" >&2 && exit 1 ;;
    *) echo "tsan: $name: vqvae ended with $status" >&2 && exit 1 ;;
  esac
}

config=configs/smoke.yaml
train residual quantizer.kind=ema model.hidden=8 model.residual_hidden=4

train lookup-free quantizer.kind=lfq quantizer.bits=5 model.hidden=8 model.residual_hidden=4

# A separate file, because the fields of another architecture would be errors.
config=$folder/resblock.yaml
cat >"$config" <<'YAML'
data: {kind: synthetic}
model: {architecture: resblock, widths: [4, 8], groups: 2, dropout: 0.1}
quantizer: {codebook_size: 32, dimension: 8}
YAML
train resblock training.clip_norm=1

config=configs/demo-hierarchical-64.yaml
train hierarchical model.hidden=8 model.residual_hidden=4 quantizer.codebook_size=32

printf '\ntsan: no reports\n'
