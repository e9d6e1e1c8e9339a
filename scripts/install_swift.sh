#!/usr/bin/env bash
# Installs Swift with swiftly, Swift's own installer, into the home folder of this user.
# Cost: a download of 1 GB; 4 GB on disk.
set -euo pipefail

readonly program=${0##*/}
readonly version=${SWIFT_VERSION:-6.3}
readonly url=${SWIFTLY_URL:-https://download.swift.org/swiftly/linux}
readonly keys_url=${SWIFT_KEYS_URL:-https://www.swift.org/keys/all-keys.asc}

usage() {
  cat <<END
Usage: $program [--how]

Downloads swiftly, checks its PGP signature with the keys of swift.org, and lets it install Swift $version.
A swiftly that is already there is used; the files of your shell are left unchanged.
--how prints the commands that do the same by hand, and installs nothing.

Environment:
  SWIFT_VERSION     the version of Swift, by default 6.3: the one this project is tested with
  SWIFTLY_HOME_DIR  swiftly's folder, by default ~/.local/share/swiftly
  SWIFTLY_BIN_DIR   where swift and swiftly go, by default ~/.local/share/swiftly/bin
  SWIFTLY_URL       for mirrors and tests: the folder with swiftly's archives
  SWIFT_KEYS_URL    for mirrors and tests: the PGP keys

Exit status: 0 done, 64 usage, 65 wrong signature or content, 69 unsupported machine, missing program, or a
failed download or installation, 73 cannot create a file.
END
}

how() {
  cat <<'END'
With swiftly, Swift's own installer, into your home folder (1 GB to download):
  curl -O https://download.swift.org/swiftly/linux/swiftly-$(uname -m).tar.gz
  tar zxf swiftly-$(uname -m).tar.gz
  ./swiftly init --quiet-shell-followup
  . "${SWIFTLY_HOME_DIR:-$HOME/.local/share/swiftly}/env.sh"
Or in the official container:
  docker run --rm -it -v "$PWD:/vqvae" -w /vqvae swift:6.2-bookworm \
    bash -c 'apt-get update && apt-get install -y make && make demo'
END
}

# fail STATUS WHAT EXPECTED FOUND TO-DO
fail() {
  printf '%s: %s\n  expected: %s\n  found:    %s\n  to do:    %s\n' "$program" "${@:2}" >&2
  exit "$1"
}

# fetch URL FILE
fetch() {
  local status=0 found
  curl --fail --location --globoff --silent --show-error --connect-timeout 30 --speed-time 60 --speed-limit 1 \
    --output "$2" --url "$1" 2>"$tmp/log" || status=$?
  ((status != 23)) || fail 73 "cannot write $2" "room for the download" "$(tail -n 1 "$tmp/log")" "free some space"
  found=$(tail -n 1 "$tmp/log")
  ((status == 0)) ||
    fail 69 "cannot download $1" "the whole file" "${found:-status $status}" "check the network and run it again"
}

# A keyring of its own, so that the user's is left unchanged.
check_signature() {
  local keyring=$tmp/keyring
  mkdir -m 700 "$keyring"
  gpg --homedir "$keyring" --batch --quiet --import "$tmp/keys" >"$tmp/log" 2>&1 ||
    fail 65 "cannot read the keys in $keys_url" "PGP keys" "$(tail -n 1 "$tmp/log")" "run it again"
  # GOODSIG, because the exit status alone would accept the signature of an expired key.
  gpg --homedir "$keyring" --batch --status-fd 1 --verify "$tmp/archive.sig" "$tmp/archive" >"$tmp/log" 2>&1 || true
  grep -q '^\[GNUPG:\] GOODSIG ' "$tmp/log" ||
    fail 65 "$archive_url has no valid signature" "a good signature by a key in $keys_url" \
      "$(grep -v '^\[GNUPG:\]' "$tmp/log" | tail -n 1)" "run it again; if it fails again, do not use this file"
}

get_swiftly() {
  local architecture archive_url
  architecture=$(uname -m)
  case $architecture in
    x86_64 | aarch64) ;;
    *) fail 69 "swiftly does not support this machine" "x86_64 or aarch64" "$architecture" "use one of those" ;;
  esac
  for name in curl gpg tar gzip; do
    command -v "$name" >/dev/null ||
      fail 69 "a program is missing" "$name" "none on the PATH" \
        "as root: apt-get install curl ca-certificates gnupg tar gzip"
  done
  archive_url=$url/swiftly-$architecture.tar.gz
  echo "Downloading $archive_url" >&2
  fetch "$archive_url" "$tmp/archive"
  fetch "$archive_url.sig" "$tmp/archive.sig"
  fetch "$keys_url" "$tmp/keys"
  check_signature
  tar -xzOf "$tmp/archive" swiftly >"$tmp/swiftly" 2>"$tmp/log" || rm "$tmp/swiftly"
  [[ -s $tmp/swiftly ]] ||
    fail 65 "$archive_url is not usable" "a file swiftly in it" "$(head -n 1 "$tmp/log")" "run it again"
  chmod +x "$tmp/swiftly"
  # It moves itself to $bin.
  "$tmp/swiftly" init --assume-yes --skip-install --quiet-shell-followup --no-modify-profile >&2 ||
    fail 69 "swiftly could not install itself" "exit status 0" "the message above" "follow it, and run this again"
  [[ -x $bin/swiftly ]] ||
    fail 69 "swiftly did not install itself" "$bin/swiftly" "no such program" "install Swift by hand: $0 --how"
}

# What Swift needs of the system. swiftly writes the commands for root into a file.
install_system_packages() {
  [[ -s $1 ]] || return 0
  local as_root=()
  if (($(id -u) != 0)); then
    command -v sudo >/dev/null || {
      echo "$program: Swift needs system packages; as root, run:" >&2
      sed 's/^/  /' "$1" >&2
      exit 69
    }
    as_root=(sudo)
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive bash -e "$1" >&2 ||
    fail 69 "cannot install the system packages of Swift" "exit status 0" "the message above" "run it again"
}

(($# <= 1)) || fail 64 "too many arguments" "at most one" "$#" "see --help"
case ${1---} in
  --) ;;
  -h | --help) usage && exit ;;
  --how) how && exit ;;
  *) fail 64 "unknown argument" "--how or --help" "$1" "see --help" ;;
esac
[[ $version =~ ^[0-9]+\.[0-9]+(\.[0-9]+)?$ ]] ||
  fail 64 "bad SWIFT_VERSION" "a version, such as 6.3" "$version" "correct or unset it"

export SWIFTLY_HOME_DIR=${SWIFTLY_HOME_DIR:-${HOME:?}/.local/share/swiftly}
export SWIFTLY_BIN_DIR=${SWIFTLY_BIN_DIR:-$HOME/.local/share/swiftly/bin}
readonly bin=$SWIFTLY_BIN_DIR
tmp=$(mktemp -d 2>&1) || fail 73 "cannot create a folder" "a folder to write in" "$tmp" "set TMPDIR"
readonly tmp
trap 'rm -rf -- "$tmp"' EXIT

if [[ -x $bin/swiftly ]]; then
  echo "Using $bin/swiftly" >&2
else
  get_swiftly
fi
PATH=$bin:$PATH
# Elsewhere than in the clone, because swiftly would change a .swift-version there.
cd "$tmp"
swiftly install "$version" --use --assume-yes --post-install-file "$tmp/post-install.sh" >&2 ||
  fail 69 "swiftly could not install Swift $version" "exit status 0" "the message above" "follow it, and run this again"
install_system_packages "$tmp/post-install.sh"

found=$(swift --version 2>&1) || found=${found:-nothing}
[[ $found == *"Swift version "* ]] ||
  fail 69 "the installed Swift does not start" "a version" "$(head -n 1 <<<"$found")" "see the messages above"
cat >&2 <<END
Installed $(grep -oE 'Swift version [^ ]+' <<<"$found" | head -n 1) in $bin. To use it in this shell as well:
  . "$SWIFTLY_HOME_DIR/env.sh"
END
