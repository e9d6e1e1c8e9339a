#!/usr/bin/env bash
# Tests scripts/check_kernels.py on planted violations: a false build folder with one of each.
# Usage: Tests/Scripts/check_kernels_test.sh
set -euo pipefail

if [[ $(uname -m) != x86_64 ]]; then
  echo "skipped: the planted instructions are those of x86-64"
  exit 0
fi
check=$(realpath "$(dirname "$0")/../../scripts/check_kernels.py")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
compiler=$(command -v cc || command -v clang)
failures=0

# expect STATUS TEXT: runs the check, which has to end with a status and to say a text.
expect() {
  local status=0
  "$check" build >log 2>&1 || status=$?
  if [[ $status != "$1" ]] || ! grep -qF -- "$2" log; then
    echo "failed: expected status $1 and \"$2\", found status $status:" >&2
    cat log >&2
    failures=$((failures + 1))
  fi
}

# A tile's loop with 16 multiply-adds, with or without a spilled sum.
tile() { # SPILL
  echo 'void tile_KernelsAVX512(void) { __asm__ volatile("1:\n"'
  for i in $(seq 0 15); do echo "  \"vfmadd231ps %%zmm30, %%zmm31, %%zmm$i\n\""; done
  echo "  \"$1\n\" \"dec %%rax\njne 1b\" ::: \"rax\", \"memory\"); }"
}

object() { # MODULE SOURCE
  mkdir -p "build/$1.build"
  "$compiler" -O1 -c -o "build/$1.build/$2.o" "$2.c"
}

link() { "$compiler" -o build/vqvae ./*.o build/*.build/*.o; }

tile nop >tile.c
echo 'int plain(void) { return 1; }' >plain.c
echo 'int main(void) { return 0; }' >main.c
"$compiler" -c main.c
object KernelsAVX512 tile
object Runtime plain
link
expect 0 "tile loops of KernelsAVX512: 1, 0 with spills"

# A weak function of a kernel module that another module has too.
echo '__attribute__((weak)) int shared(void) { return 2; }' >weak.c
object KernelsAVX512 weak
expect 0 "weak functions: none of KernelsAVX512 is defined elsewhere"
object Runtime weak
expect 1 "KernelsAVX512 defines a weak function that is also in Runtime: shared"
rm build/*/weak.o

# A function outside the module that uses its registers.
echo 'void outside(void) { __asm__ volatile("vxorps %%zmm1, %%zmm1, %%zmm1" ::: "memory"); }' >outside.c
object Runtime outside
link
expect 1 "a function outside the modules for it uses zmm registers: outside"
echo 'void outside(void) { __asm__ volatile("vxorps %%ymm1, %%ymm1, %%ymm1" ::: "memory"); }' >outside.c
object Runtime outside
link
expect 1 "a function outside the modules for it uses ymm registers: outside"
rm build/Runtime.build/outside.o
link

# A tile that spills, and none at all.
tile 'vmovups %%zmm1, 64(%%rsp)' >tile.c
object KernelsAVX512 tile
expect 1 "a tile loop of tile_KernelsAVX512 uses the stack: vmovups %zmm1,0x40(%rsp)"
echo 'int plain2(void) { return 1; }' >tile.c
object KernelsAVX512 tile
expect 1 "no tile loop was found in KernelsAVX512"

[[ $failures == 0 ]] || exit 1
echo "check_kernels: all planted violations were found"
