#!/usr/bin/env bash
# Runs scripts/compare with a Python that has PyTorch; creates a virtual environment if necessary.
# Usage: scripts/compare.sh [argument of scripts/compare …]; see scripts/compare --help
#
# Environment:
#   VQVAE_PYTHON  a Python with torch, numpy and safetensors, and onnx, onnxscript, onnxruntime and
#                 openvino for their columns; nothing is installed then
#   VQVAE_VENV    the folder of the virtual environment, by default ~/.cache/vqvae/venv
#
# Exit status: that of scripts/compare; 64 if VQVAE_PYTHON lacks a package; 69 if the virtual
# environment cannot be created or was declined.
set -euo pipefail

readonly packages=(torch numpy safetensors)
# For onnxruntime and OpenVINO, which are left out without them.
readonly more_packages=(onnx onnxscript onnxruntime openvino)
readonly venv=${VQVAE_VENV:-$HOME/.cache/vqvae/venv}

# fail STATUS WHAT EXPECTED FOUND TO-DO
fail() {
  printf 'compare: %s\n  expected: %s\n  found:    %s\n  to do:    %s\n' "${@:2}" >&2
  exit "$1"
}

# Looks for the packages without importing them, which would take seconds.
has_packages() {
  "$1" - "${packages[@]}" 2>/dev/null <<'END'
import importlib.util, sys
sys.exit(not all(map(importlib.util.find_spec, sys.argv[1:])))
END
}

make_venv() {
  cat >&2 <<END
compare: no Python with ${packages[*]} in $venv.
About to run "pip install ${packages[*]}" there, and the same with
${more_packages[*]}. On x86-64 torch downloads about 3 GB, most of it for GPUs, and takes
5.5 GB on disk. To use a Python that has these packages, set VQVAE_PYTHON.
END
  # Ask only on a terminal.
  if [[ -t 0 && -t 2 ]]; then
    read -r -p "Download? [y/N] " answer
    [[ $answer == [yY]* ]] || exit 69
  fi
  command -v python3 >/dev/null ||
    fail 69 "cannot create $venv" "python3 on the PATH" "none" "install python3 and python3-venv"
  python3 -m venv "$venv" >&2 ||
    fail 69 "cannot create $venv" "a virtual environment" "the message above" \
      "install python3-venv, or set VQVAE_VENV to another folder"
  "$venv/bin/python" -m pip install --disable-pip-version-check "${packages[@]}" >&2 ||
    fail 69 "cannot install ${packages[*]}" "a finished pip" "the message above" \
      "check the network and the free disk space, and run it again"
  "$venv/bin/python" -m pip install --disable-pip-version-check "${more_packages[@]}" >&2 ||
    echo "compare: some of ${more_packages[*]} are missing; their columns are left out" >&2
}

if [[ -n ${VQVAE_PYTHON:-} ]]; then
  python=$VQVAE_PYTHON
  has_packages "$python" ||
    fail 64 "cannot use VQVAE_PYTHON=$python" "a Python with ${packages[*]}" "one of them is missing" \
      "install them there, or unset VQVAE_PYTHON"
else
  python=$venv/bin/python
  if ! has_packages "$python"; then make_venv; fi
fi
exec "$python" "$(dirname "$0")/compare" "$@"
