#!/usr/bin/env bash
# Trains configs/demo.yaml, evaluates it and draws a picture. About a minute on two cores.
# Usage: scripts/demo.sh path/to/vqvae
set -euo pipefail

vqvae=$(realpath "${1:?usage: scripts/demo.sh path/to/vqvae}")
cd "$(dirname "$0")/.."
run=runs/make-demo
picture=$run/demo.png

# The folder is the demo's own, so that it can be run again.
rm -rf "$run"
"$vqvae" train --config configs/demo.yaml --run "$run" >/dev/null
echo
"$vqvae" eval "$run" --split test
"$vqvae" reconstruct "$run" --split test --count 50 --out "$picture" >/dev/null
cat <<EOF

Made $picture: images the model has not seen, each above its reconstruction.
The run is in $run: config.yaml, metrics.jsonl and checkpoints/.

Next, with real images:
  scripts/download_cifar10.sh
  $1 train --config configs/cifar10.yaml
EOF
