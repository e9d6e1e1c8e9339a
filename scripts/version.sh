#!/usr/bin/env bash
# Prints the version that a vqvae reports: the number in the first line of --version.
# Usage: scripts/version.sh path/to/vqvae
set -euo pipefail
text=$("${1:?usage: scripts/version.sh path/to/vqvae}" --version)
[[ $text =~ [0-9]+\.[0-9]+\.[0-9]+[A-Za-z0-9.+~-]* ]] || {
  echo "version: $1 --version prints no version: $text" >&2
  exit 65
}
echo "${BASH_REMATCH[0]}"
