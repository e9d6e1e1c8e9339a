#!/usr/bin/env bash
# Downloads CIFAR-10 (binary version), checks it, and unpacks it for `vqvae`.
# Cost: a download of 162 MiB; 176 MiB on disk, 340 MiB while it runs.
set -euo pipefail

readonly program=${0##*/}
readonly record_bytes=3073 batch_bytes=30730000
readonly inside=cifar-10-batches-bin
readonly members=(data_batch_{1..5}.bin test_batch.bin batches.meta.txt)

readonly url=${CIFAR10_URL:-https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz}
readonly size=${CIFAR10_SIZE:-170052171}
readonly sha256=${CIFAR10_SHA256:-c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd}

usage() {
  cat <<END
Usage: $program [FOLDER]

Downloads the official CIFAR-10 archive (binary version, 162 MiB), checks its size
and SHA-256, and unpacks it into FOLDER/$inside.
FOLDER is data/cifar10 by default. A complete FOLDER is left unchanged.

Environment, for mirrors and tests:
  CIFAR10_URL     where the archive is
  CIFAR10_SIZE    its size in bytes
  CIFAR10_SHA256  its SHA-256, 64 lower-case hexadecimal digits

Exit status: 0 done, 64 usage, 65 wrong size, hash or content, 69 download failed,
73 cannot create the folder or a file.
END
}

# fail STATUS WHAT EXPECTED FOUND TO-DO
fail() {
  printf '%s: %s\n  expected: %s\n  found:    %s\n  to do:    %s\n' "$program" "${@:2}" >&2
  exit "$1"
}

size_of() { echo $(($(wc -c <"$1"))); }

sha256_of() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi <"$1" | cut -d ' ' -f 1
}

is_complete() {
  local name
  for name in "${members[@]}"; do
    [[ -f $target/$name && -s $target/$name ]] || return 1
    [[ $name != *.bin || $(size_of "$target/$name") == "$batch_bytes" ]] || return 1
  done
}

# Writes the archive to standard output: the caller counts the bytes, because
# `curl --max-filesize` believes the server's Content-Length before curl 8.4.
fetch() {
  local progress=(--progress-bar) wget_progress=(--no-verbose --show-progress)
  if [[ ! -t 2 ]]; then
    progress=(--silent --show-error) wget_progress=(--no-verbose)
    exec 2>"$tmp/log"
  fi
  if command -v curl >/dev/null; then
    curl --fail --location --globoff --connect-timeout 30 --speed-time 60 --speed-limit 1 \
      "${progress[@]}" --url "$url"
  else
    wget --tries=1 --timeout=60 "${wget_progress[@]}" --output-document=- -- "$url"
  fi
}

# keep LIMIT FILE: copies standard input to FILE, up to one byte past LIMIT, which shows that there was more.
keep() {
  head -c $(($1 + 1)) >"$2" ||
    fail 73 "cannot write $2" "room for $1 bytes" "a failed write (above)" "free some space or choose another FOLDER"
}

download() {
  local status=(0 0) bytes found
  local again="run it again; if it fails again, set CIFAR10_URL to a mirror"
  [[ ! -t 2 ]] || echo "Downloading $url ($size bytes)" >&2
  fetch | keep "$size" "$archive" || status=("${PIPESTATUS[@]}")
  ((status[1] == 0)) || exit 73

  bytes=$(size_of "$archive")
  ((bytes <= size)) ||
    fail 65 "$url is too big" "$size bytes" "more than $size bytes" "$again"
  found=$(tail -n 1 "$tmp/log" 2>/dev/null) || found="the message above"
  ((status[0] == 0)) ||
    fail 69 "cannot download $url" "$size bytes" "$bytes bytes, then ${found:-status ${status[0]}}" \
      "check the network and run it again, or set CIFAR10_URL to a mirror"
  ((bytes == size)) ||
    fail 65 "$url has the wrong size" "$size bytes" "$bytes bytes" "$again"
  found=$(sha256_of "$archive")
  [[ $found == "$sha256" ]] ||
    fail 65 "$url has the wrong SHA-256" "$sha256" "$found" "$again"
}

# Extracts only the expected members, each through a pipe into a file named here, so that no path, link or
# device of the archive reaches the disk.
unpack() {
  local name status bytes multiple says
  for name in "${members[@]}"; do
    status=(0 0)
    tar -xzOf - "$inside/$name" <"$archive" 2>"$tmp/log" | keep "$batch_bytes" "$tmp/$name" ||
      status=("${PIPESTATUS[@]}")
    ((status[1] == 0)) || exit 73

    bytes=$(size_of "$tmp/$name") multiple=1 says=$(head -n 1 "$tmp/log")
    [[ $name != *.bin ]] || multiple=$record_bytes
    ((status[0] == 0 && bytes > 0 && bytes <= batch_bytes && bytes % multiple == 0)) ||
      fail 65 "$inside/$name in $url is not usable" \
        "a regular file, a positive multiple of $multiple bytes, at most $batch_bytes" \
        "$bytes bytes${says:+; $says}" "use the official archive: unset CIFAR10_URL, CIFAR10_SIZE and CIFAR10_SHA256"
  done
}

put_in_place() {
  local name
  for name in "${members[@]}"; do
    installed+=" $name"
    mv -f -- "$tmp/$name" "$target/$name" ||
      fail 73 "cannot create $target/$name" "a file to write" "a failed rename (above)" "choose another FOLDER"
  done
  installed=
}

cleanup() {
  local name
  for name in $installed; do rm -f -- "$target/$name"; done
  rm -rf -- "$tmp"
  rmdir -- "$target" 2>/dev/null || true # only if it is empty
}

yaml_string() {
  local quote="'"
  if [[ $1 =~ ^[[:alnum:]_./][[:alnum:]_./-]*$ ]]; then
    echo "$1"
  else
    echo "'${1//$quote/$quote$quote}'"
  fi
}

report() {
  cat <<END
$1 $(CDPATH='' cd -- "$target" && pwd)
Put this into the config:
data:
  kind: cifar10
  root: $(yaml_string "$target")
END
}

folder=data/cifar10
(($# <= 1)) || fail 64 "too many arguments" "at most one, FOLDER" "$#" "quote a FOLDER that has spaces; see --help"
if (($# == 1)); then
  case $1 in
    -h | --help) usage && exit ;;
    -*) fail 64 "unknown option" "FOLDER, -h or --help" "$1" "write ./$1 for a folder of that name" ;;
    '' | *[[:cntrl:]]*) fail 64 "bad FOLDER" "a name without control characters" "'$1'" "choose another FOLDER" ;;
    *) folder=$1 ;;
  esac
fi
[[ $size =~ ^[1-9][0-9]{0,14}$ ]] ||
  fail 64 "bad CIFAR10_SIZE" "a positive number of bytes" "$size" "correct or unset it"
[[ $sha256 =~ ^[0-9a-f]{64}$ ]] ||
  fail 64 "bad CIFAR10_SHA256" "64 lower-case hexadecimal digits" "$sha256" "correct or unset it"

readonly target=${folder%/}/$inside
if is_complete; then
  report "Already complete, by the files' sizes; nothing downloaded: CIFAR-10 is in"
  exit
fi

for choice in "curl wget" "sha256sum shasum" tar; do
  # shellcheck disable=SC2086 # one word for each program
  [[ $(command -v $choice) ]] ||
    fail 69 "a program is missing" "${choice/ / or }" "none on PATH" "install it"
done
for name in "${members[@]}"; do
  [[ ! -d $target/$name ]] ||
    fail 73 "cannot create $target/$name" "a file, or nothing" "a folder" "remove it or choose another FOLDER"
done
tmp=$({ mkdir -p -- "$target" && mktemp -d "$target/.download.XXXXXX"; } 2>&1) ||
  fail 73 "cannot create a file in $target" "a folder to write in" "$tmp" "choose another FOLDER"
readonly tmp archive=$tmp/archive
installed=
trap cleanup EXIT

download
unpack
put_in_place
report "Downloaded and checked: CIFAR-10 is in"
