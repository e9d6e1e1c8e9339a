#!/usr/bin/env bash
# Installs vqvae under a prefix, or removes exactly what an installation put there.
# Usage: scripts/install.sh install VQVAE SCRATCH-FOLDER
#        scripts/install.sh stage VQVAE SCRATCH-FOLDER
#        scripts/install.sh uninstall
#
# VQVAE is the program, SCRATCH-FOLDER the folder of its build, where the licences of its packages are. `stage` is
# for packages: it keeps no list of the files, because dpkg does.
#
# Environment:
#   PREFIX             where the files go, by default /usr/local
#   DESTDIR            a folder that stands for / while a package is made, by default none
#   ZSH_COMPLETIONS    the folder of completions for zsh in PREFIX, by default share/zsh/site-functions
#   SOURCE_DATE_EPOCH  the date of the man page, by default that of the commit
#
# Exit status: 0 done, 64 usage, 65 the list of files is not one of ours, 66 a file or program is missing, or
# nothing is installed, 73 a file cannot be created or removed.
set -euo pipefail

readonly prefix=${PREFIX-/usr/local}
readonly root=${DESTDIR-}$prefix
# One line for each file and created folder: f or d, a space, and the path in the prefix.
readonly list=share/vqvae/installed-files
readonly paths='^(\.|(bin|share)(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*)$'

# fail STATUS WHAT EXPECTED FOUND TO-DO
fail() {
  printf 'install: %s\n  expected: %s\n  found:    %s\n  to do:    %s\n' "${@:2}" >&2
  exit "$1"
}

usage() {
  fail 64 "wrong arguments" "install or stage, VQVAE and SCRATCH-FOLDER; or uninstall" "$*" "use make install"
}

# Everything is made in $tmp first, so that an error changes nothing in the prefix.
make_tree() {
  local vqvae=$1 scratch=$2 here completions=${ZSH_COMPLETIONS:-share/zsh/site-functions}
  here=$(cd "$(dirname "$0")/.." && pwd)
  [[ -f $vqvae && -x $vqvae ]] || fail 66 "nothing to install" "the program $vqvae" "no such program" "run make static"
  for name in python3 gzip; do
    command -v "$name" >/dev/null || fail 66 "a program is missing" "$name" "none on the PATH" "install $name"
  done
  mkdir -p "$tree"/bin "$tree"/share/{man/man1,bash-completion/completions,fish/vendor_completions.d} \
    "$tree/$completions" "$tree"/share/{vqvae/configs,doc/vqvae}
  cp "$vqvae" "$tree/bin/vqvae"
  SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$("$here/scripts/source_date.sh")} \
    python3 "$here/scripts/manual.py" "$vqvae" "$prefix/share/vqvae/configs" |
    gzip -9n >"$tree/share/man/man1/vqvae.1.gz"
  # It is read by a shell, not run: a first line with #! would be wrong.
  "$vqvae" --generate-completion-script bash | sed '1{/^#!/d}' >"$tree/share/bash-completion/completions/vqvae"
  "$vqvae" --generate-completion-script zsh >"$tree/$completions/_vqvae"
  "$vqvae" --generate-completion-script fish >"$tree/share/fish/vendor_completions.d/vqvae.fish"
  cp "$here"/configs/*.yaml "$tree/share/vqvae/configs"
  cp "$here/LICENSE" "$tree/share/doc/vqvae/copyright"
  "$here/scripts/notices.sh" "$scratch" >"$tree/share/doc/vqvae/NOTICES"
  find "$tree" -type f -exec chmod 644 {} +
  chmod 755 "$tree/bin/vqvae"
}

# read_list f|d ARRAY: reads the entries of one kind from the list of the installation, if there is one
read_list() {
  local -n entries=$2
  local line
  entries=()
  [[ -e $root/$list ]] || return 0
  while IFS= read -r line; do
    # This may run as root, and removes what it reads here.
    [[ $line == [fd]\ * && ${line:2} =~ $paths && /${line:2}/ != */../* ]] ||
      fail 65 "bad list of files $root/$list" "f or d, and a path in bin or share" "$line" \
        "remove the files of vqvae and this list by hand"
    [[ $line != "$1 "* ]] || entries+=("${line:2}")
  done <"$root/$list"
}

# made COMMAND…: runs a command that creates something in the prefix
made() {
  local says
  says=$("$@" 2>&1) ||
    fail 73 "cannot install in $root" "a folder to write in" "$says" \
      "choose another PREFIX, such as \$HOME/.local, or run this as root"
}

# make_folder PATH: creates a folder of the prefix and its parents, and notes the new ones in $created
make_folder() {
  [[ ! -d $root/$1 ]] || return 0
  [[ $1 == . ]] || make_folder "$(dirname "$1")"
  if [[ $1 == . ]]; then made mkdir -p -m 755 "$root"; else made mkdir -m 755 "$root/$1"; fi
  created+=("$1")
}

write_list() { # FILE…
  {
    printf 'f %s\n' "$@"
    ((${#created[@]} == 0)) || printf 'd %s\n' "${created[@]}"
  } | LC_ALL=C sort -u >"$tmp/list"
  made install -m 644 "$tmp/list" "$root/$list.new"
  made mv -fT "$root/$list.new" "$root/$list"
}

put_in_place() { # install or stage
  local file files=() old=() stale=()
  mapfile -t files < <(cd "$tree" && find . -type f -printf '%P\n' | LC_ALL=C sort)
  if [[ $1 == install ]]; then
    read_list d created
    read_list f old
    # What an older version installed, and this one does not.
    for file in "${old[@]}"; do
      [[ $file == "$list" || -e $tree/$file ]] || stale+=("$file")
    done
  fi
  for file in "${files[@]}"; do make_folder "$(dirname "$file")"; done
  # Before the files: if this is interrupted, uninstall still finds all of them.
  [[ $1 == stage ]] || write_list "${files[@]}" "$list" "${stale[@]}"
  for file in "${files[@]}"; do
    # A rename, because a program that is running cannot be overwritten.
    made cp -pf "$tree/$file" "$root/$file.new"
    made mv -fT "$root/$file.new" "$root/$file"
  done
  [[ $1 == install ]] || return 0
  for file in "${stale[@]}"; do made rm -f "$root/$file"; done
  write_list "${files[@]}" "$list"
}

uninstall() {
  local file folder files=() folders=()
  [[ -e $root/$list ]] ||
    fail 66 "nothing to remove" "the list of files $root/$list" "no such file" \
      "name the PREFIX (and DESTDIR) of the installation"
  read_list f files
  read_list d folders
  # Before anything is removed.
  for file in "${files[@]}"; do
    folder=$(dirname "$root/$file")
    [[ ! -d $folder || -w $folder ]] ||
      fail 73 "cannot remove $root/$file" "a folder to write in" "$folder is read-only for this user" "run this as root"
    [[ ! -d $root/$file ]] ||
      fail 73 "cannot remove $root/$file" "a file" "a folder" "remove or rename it"
  done
  for file in "${files[@]}"; do
    [[ $file == "$list" ]] || rm -f -- "$root/$file" || fail 73 "cannot remove $root/$file" "no error" "the message above" "see it"
  done
  rm -f -- "$root/$list" || fail 73 "cannot remove $root/$list" "no error" "the message above" "see it"
  # The deepest first. Those with files of others in them stay.
  for folder in $(printf '%s\n' "${folders[@]}" | LC_ALL=C sort -r); do
    if [[ $folder == . ]]; then folder=$root; else folder=$root/$folder; fi
    rmdir -- "$folder" 2>/dev/null || true
  done
  echo "Removed ${#files[@]} files of vqvae from $root."
}

[[ $prefix == /* ]] || fail 64 "bad PREFIX" "an absolute path" "'$prefix'" "write it out, such as \$HOME/.local"
[[ $root != *[[:cntrl:]]* ]] ||
  fail 64 "bad PREFIX or DESTDIR" "a path without control characters" "'$root'" "choose another"
[[ ${DESTDIR:-/} == /* ]] || fail 64 "bad DESTDIR" "an absolute path" "'$DESTDIR'" "write it out"

created=()
case ${1-} in
  install | stage)
    (($# == 3)) || usage "$@"
    tmp=$(mktemp -d)
    readonly tmp tree=$tmp/tree
    trap 'rm -rf -- "$tmp"' EXIT
    make_tree "$2" "$3"
    put_in_place "$1"
    if [[ $1 == install ]]; then
      echo "Installed vqvae $("$(dirname "$0")/version.sh" "$2") in $root."
      echo "make uninstall with the same PREFIX and DESTDIR removes it."
      [[ -n ${DESTDIR-} || :$PATH: == *:"$prefix/bin":* ]] || echo "$prefix/bin is not on your PATH."
    fi
    ;;
  uninstall)
    (($# == 1)) || usage "$@"
    uninstall
    ;;
  *) usage "$@" ;;
esac
