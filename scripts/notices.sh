#!/usr/bin/env bash
# Writes the licences of everything that is linked into vqvae to standard output.
# Usage: scripts/notices.sh SCRATCH-FOLDER    the folder of the build, which has the checkouts of the packages
#
# Exit status: 0 done, 64 usage, 66 a licence is missing.
set -euo pipefail

(($# == 1)) || { echo "usage: scripts/notices.sh SCRATCH-FOLDER" >&2 && exit 64; }
here=$(cd "$(dirname "$0")/.." && pwd)
swift=$(command -v swift) || { echo "notices: swift is not on the PATH" >&2 && exit 66; }
# swiftly's swift is a link to swiftly itself, so the compiler is asked where it is.
resources=$(swift -print-target-info | sed -nE 's/.*"runtimeResourcePath" *: *"(.*)".*/\1/p')
toolchain=${resources%/lib/swift}
checkouts=$1/checkouts

# notice NAME WHAT FILE
notice() {
  [[ -s $3 ]] || {
    printf 'notices: no licence of %s\n  expected: %s\n  found:    no such file\n  to do:    %s\n' "$1" "$3" \
      "build vqvae in $checkouts's folder first, with the Swift in $swift" >&2
    exit 66
  }
  printf '%s\n%s\n%s\n\n' "$(printf '=%.0s' {1..78})" "$1: $2" "$(printf '=%.0s' {1..78})"
  # Without a form feed or trailing spaces, and with one empty line at the end.
  sed 's/\f//g; s/[[:space:]]*$//' "$3"
  echo
}

cat <<'END'
vqvae is under the MIT licence, in LICENSE or the file "copyright". Linked into the program are the works
below, each under its own licence. OpenBLAS, LAPACKE, libpng, libstdc++, libgcc and the C library are not in
it: it uses those of the system.

END
notice "Swift" "the standard library, Foundation and Dispatch, in their static form" \
  "$toolchain/share/swift/LICENSE.txt"
notice "ICU" "in Swift's Foundation, as FoundationICU; changed by Apple" "$here/packaging/licences/icu.txt"
notice "swift-argument-parser" "the command line" "$checkouts/swift-argument-parser/LICENSE.txt"
notice "Yams" "YAML" "$checkouts/Yams/LICENSE"
notice "libyaml" "in Yams, as CYaml" "$here/packaging/licences/libyaml.txt"
