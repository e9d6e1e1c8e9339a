#!/usr/bin/env bash
# Runs train, eval and reconstruct with configs/smoke.yaml and checks the results.
# Usage: scripts/smoke.sh path/to/vqvae
set -euo pipefail

vqvae=$(realpath "${1:?usage: scripts/smoke.sh path/to/vqvae}")
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
run=$folder/run

fail() {
  echo "smoke: $1" >&2
  exit 1
}

"$vqvae" train --config configs/smoke.yaml --run "$run"
for file in config.yaml metrics.jsonl checkpoints/last.safetensors checkpoints/best.safetensors; do
  [ -s "$run/$file" ] || fail "$file is missing"
done
steps=$(grep -c '"loss"' "$run/metrics.jsonl")
[ "$steps" -eq 20 ] || fail "metrics.jsonl has $steps steps instead of 20"

"$vqvae" eval "$run" --json >"$folder/eval.json"
for key in mse nmse psnr perplexity codesUsed codebookSize images split; do
  grep -q "\"$key\" *:" "$folder/eval.json" || fail "eval --json has no $key"
done

# Eight pairs of 32×32 images at scale 1: four columns, two rows of pairs.
"$vqvae" reconstruct "$run" --count 8 --scale 1 --out "$folder/grid.png"
size=$(od -An -j16 -N8 -t u1 "$folder/grid.png" |
  awk '{ print $1*2^24+$2*2^16+$3*2^8+$4 "x" $5*2^24+$6*2^16+$7*2^8+$8 }')
[ "$size" = 138x142 ] || fail "the picture has $size pixels instead of 138x142"
echo "smoke: train, eval and reconstruct work"
