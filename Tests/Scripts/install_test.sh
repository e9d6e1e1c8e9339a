#!/usr/bin/env bash
# Tests scripts/install.sh, the man page and the completions; takes a few seconds.
# Usage: Tests/Scripts/install_test.sh VQVAE SCRATCH-FOLDER    as for scripts/install.sh
set -euo pipefail
# shellcheck source=Tests/Scripts/checks.sh
source "$(dirname "$0")/checks.sh"

(($# == 2)) || { echo "usage: Tests/Scripts/install_test.sh VQVAE SCRATCH-FOLDER" >&2 && exit 64; }
vqvae=$(realpath "$1")
scratch=$(realpath "$2")
here=$(cd "$(dirname "$0")/../.." && pwd)
readonly here scratch
work=$(mktemp -d)
readonly work
cleanup() {
  chmod -R u+w "$work"
  rm -rf -- "$work"
}
trap cleanup EXIT
chmod 755 "$work"
unset PREFIX DESTDIR ZSH_COMPLETIONS SOURCE_DATE_EPOCH

# check_with PROGRAM COMMAND…: skips the check where the program is not installed
check_with() {
  if command -v "$1" >/dev/null; then
    check "${@:2}"
  else
    skipped=$((skipped + 1))
    echo "skipped: $case, it needs $1"
  fi
}
# install [VARIABLE=VALUE…] COMMAND: runs scripts/install.sh; sets status, out and err
install_sh() {
  local words=()
  [[ ${*: -1} == uninstall ]] || words=("$vqvae" "$scratch")
  status=0
  env "${@:1:$#-1}" "$here/scripts/install.sh" "${@: -1}" "${words[@]}" >"$work/out" 2>"$work/err" || status=$?
}
exits() { ((status == $1)); }
complains() { grep -qF -- "$1" "$work/err"; }
prints() { grep -qF -- "$1" "$work/out"; }
is_empty_folder() { [[ -d $1 && -z $(ls -A "$1") ]]; }
is_silent() { [[ -z $("$@" 2>&1) ]]; }
is_equal() { [[ $1 == "$2" ]]; }
tree_of() { (cd "$1" && find . -printf '%p %m %l\n' | sort); }

case="a prefix with spaces and quotes"
prefix="$work/it's a \$prefix"
install_sh PREFIX="$prefix" install
check exits 0
check prints "is not on your PATH"
check cmp "$vqvae" "$prefix/bin/vqvae"
check "$prefix/bin/vqvae" --version
check diff -r "$here/configs" "$prefix/share/vqvae/configs"
check cmp "$here/LICENSE" "$prefix/share/doc/vqvae/copyright"
for name in "Apache License" "UNICODE LICENSE V3" "JP Simard" "Kirill Simonov"; do
  check grep -qF "$name" "$prefix/share/doc/vqvae/NOTICES"
done

case="the man page"
page=$work/vqvae.1
gzip -dc "$prefix/share/man/man1/vqvae.1.gz" >"$page"
for heading in NAME SYNOPSIS DESCRIPTION COMMANDS OPTIONS "EXIT STATUS" FILES ENVIRONMENT EXAMPLES; do
  check grep -qxF ".SH $heading" "$page"
done
for command in train eval reconstruct bench; do check grep -qxF ".SS $command" "$page"; done
check grep -qF -- '\-\-init\-from' "$page"
# shellcheck disable=SC2016
check grep -qF 'it\(aqs a $prefix/share/vqvae/configs' "$page"
warnings() { LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" >/dev/null; }
check_with man is_silent warnings
check_with groff is_silent groff -man -Kutf8 -Tutf8 -ww -z "$page"
shows() { LC_ALL=C.UTF-8 MANPATH="$prefix/share/man" MANPAGER=cat man vqvae | grep -q "vqvae eval"; }
check_with man shows

case="completions for bash"
file=$prefix/share/bash-completion/completions/vqvae
check bash -n "$file"
# As a shell does on a tab after "vqvae ".
# shellcheck disable=SC2016
check is_equal "$(PATH=$prefix/bin:$PATH bash -c '
  source "$1"
  COMP_WORDS=(vqvae rec) COMP_CWORD=1 COMP_LINE="vqvae rec" COMP_POINT=9
  "$(complete -p vqvae | sed "s/.* -F \([^ ]*\) .*/\1/")" vqvae rec vqvae
  echo "${COMPREPLY[*]}"' bash "$file" 2>&1)" reconstruct
case="completions for zsh"
file=$prefix/share/zsh/site-functions/_vqvae
check_with zsh is_silent zsh -n "$file"
# shellcheck disable=SC2016
check_with zsh zsh -fc 'fpath=($1 $fpath); autoload -Uz compinit; compinit -D -u; [[ $_comps[vqvae] == _vqvae ]]' zsh \
  "$(dirname "$file")"
case="completions for fish"
file=$prefix/share/fish/vendor_completions.d/vqvae.fish
check_with fish is_silent fish --no-execute "$file"
# shellcheck disable=SC2016
completes() { HOME=$work fish --no-config -c 'source $argv[1]; complete -C "vqvae rec"' "$file" | grep -q '^reconstruct'; }
check_with fish completes

case="a second installation"
before=$(tree_of "$prefix")
echo "# mine" >>"$prefix/share/vqvae/configs/demo.yaml"
install_sh PREFIX="$prefix" install
check exits 0
check is_equal "$(tree_of "$prefix")" "$before"
check diff -r "$here/configs" "$prefix/share/vqvae/configs"

case="a newer version without some file"
echo "f share/vqvae/configs/old.yaml" >>"$prefix/share/vqvae/installed-files"
touch "$prefix/share/vqvae/configs/old.yaml"
install_sh PREFIX="$prefix" install
check exits 0
check is_equal "$(tree_of "$prefix")" "$before"

case="uninstall"
install_sh PREFIX="$prefix" uninstall
check exits 0
check test ! -e "$prefix"
install_sh PREFIX="$prefix" uninstall
check exits 66
check complains "nothing to remove"

case="files of others"
mkdir -p "$prefix/bin" "$prefix/share/man"
touch "$prefix/bin/other"
before=$(tree_of "$prefix")
install_sh PREFIX="$prefix" install
check exits 0
touch "$prefix/share/vqvae/configs/mine.yaml"
install_sh PREFIX="$prefix" uninstall
check exits 0
check is_equal "$(cd "$prefix" && find . -type f | sort | xargs)" "./bin/other ./share/vqvae/configs/mine.yaml"
rm -r "$prefix/share/vqvae"
check is_equal "$(tree_of "$prefix")" "$before"
rm -r "$prefix"

case="DESTDIR"
install_sh DESTDIR="$work/dest" PREFIX=/usr install
check exits 0
check test -x "$work/dest/usr/bin/vqvae"
check is_equal "$(ls "$work/dest")" usr
check is_equal "$(gzip -dc "$work/dest/usr/share/man/man1/vqvae.1.gz" | grep -c "$work/dest")" 0
install_sh DESTDIR="$work/dest" PREFIX=/usr uninstall
check exits 0
check is_empty_folder "$work/dest"

case="the same date, the same bytes"
install_sh DESTDIR="$work/one" PREFIX=/usr SOURCE_DATE_EPOCH=1700000000 stage
install_sh DESTDIR="$work/two" PREFIX=/usr SOURCE_DATE_EPOCH=1700000000 stage
check diff -r "$work/one" "$work/two"
check test ! -e "$work/one/usr/share/vqvae/installed-files"

case="a program that is running"
install_sh PREFIX="$prefix" install
"$prefix/bin/vqvae" train --config "$here/configs/smoke.yaml" --run "$work/run" --set training.steps=100000 2>/dev/null &
trainer=$!
install_sh PREFIX="$prefix" install
check exits 0
kill -9 "$trainer"
wait "$trainer" 2>/dev/null || true

case="a bad list"
for line in "f ../../etc/passwd" "f /etc/passwd" "f share/../../x" "f etc/passwd" "x bin/vqvae" "f bin/a b"; do
  cp "$prefix/share/vqvae/installed-files" "$work/list"
  echo "$line" >>"$prefix/share/vqvae/installed-files"
  for command in install uninstall; do
    install_sh PREFIX="$prefix" "$command"
    check exits 65
    check complains "found:    $line"
  done
  cp "$work/list" "$prefix/share/vqvae/installed-files"
done
check test -x "$prefix/bin/vqvae"

case="a folder where a file should be"
rm "$prefix/share/doc/vqvae/NOTICES"
mkdir "$prefix/share/doc/vqvae/NOTICES"
install_sh PREFIX="$prefix" install
check exits 73
install_sh PREFIX="$prefix" uninstall
check exits 73
rmdir "$prefix/share/doc/vqvae/NOTICES"
install_sh PREFIX="$prefix" install
check exits 0

case="no rights"
if (($(id -u) == 0)); then
  # Root may write everywhere: be nobody, who may read the program in $work.
  cp -r "$here/scripts" "$here/configs" "$here/LICENSE" "$here/packaging" "$work"
  cp "$vqvae" "$work/vqvae"
  as_nobody() { # COMMAND [WORD…]
    status=0
    setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/ PATH="$PATH" PREFIX="$prefix" \
      "$work/scripts/install.sh" "$@" >"$work/out" 2>"$work/err" || status=$?
  }
  before=$(tree_of "$prefix")
  as_nobody uninstall
  check exits 73
  check complains "read-only for this user"
  check is_equal "$(tree_of "$prefix")" "$before"
fi
install_sh PREFIX=/proc/vqvae install
check exits 73
check complains "choose another PREFIX"

case=usage
for words in PREFIX=usr PREFIX= "PREFIX=~/x" "DESTDIR=dest" $'PREFIX=/a\nb'; do
  install_sh "$words" install
  check exits 64
done
install_sh PREFIX="$prefix" remove
check exits 64
vqvae=$work/none install_sh PREFIX="$prefix" install
check exits 66

finish_checks
