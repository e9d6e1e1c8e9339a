#!/usr/bin/env bash
# Trains configs/demo.yaml, evaluates the model and writes a picture. About a minute on two cores.
# Usage: scripts/demo.sh path/to/vqvae
set -euo pipefail

vqvae=$(realpath "${1:?usage: scripts/demo.sh path/to/vqvae}")
cd "$(dirname "$0")/.."
run=runs/make-demo
picture=$run/demo.png

# Only the demo uses this folder, so it can be removed and the demo run again.
rm -rf "$run"
"$vqvae" train --config configs/demo.yaml --run "$run" >/dev/null
echo
"$vqvae" eval "$run" --split test
"$vqvae" reconstruct "$run" --split test --count 50 --out "$picture" >/dev/null
cat <<EOF

Wrote $picture: test images, each above its reconstruction.
The run folder is $run: config.yaml, metrics.jsonl and checkpoints/.

Next, with real images:
  scripts/download_cifar10.sh
  $1 train --config configs/cifar10.yaml
EOF
