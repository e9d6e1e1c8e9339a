#!/usr/bin/env bash
# Prints the time that packages and the man page bear, in seconds since 1970: that of the last commit, or outside a
# clone that of Package.swift. The same sources give the same package.
set -euo pipefail
cd "$(dirname "$0")/.."
git log -1 --format=%ct 2>/dev/null || stat -c %Y Package.swift
