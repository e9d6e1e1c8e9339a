#!/usr/bin/env bash
# Checks a Debian package of vqvae with lintian, and installs it in a fresh minimal Debian (debootstrap), which has no
# Swift: there it trains, evaluates and reconstructs as an ordinary user, and is removed again.
# Usage: scripts/test_package.sh FILE.deb
#
# Needs root, debootstrap, and the right to make a mount namespace; where one is missing, the installation is skipped.
# All mounts are in that namespace, so they end with it, even if this script is killed.
#
# Environment:
#   RELEASE         the release of the minimal system, by default that of this machine
#   MIRROR          where its packages are, by default the one that apt uses here
#   XDG_CACHE_HOME  the minimal system is kept for a week in vqvae there, by default in ~/.cache/vqvae
#
# Exit status: 0 all checks that were possible passed, 1 one failed, 64 usage, 66 no such package.
# shellcheck disable=SC2016,SC2317 # commands for another shell; functions that check calls
set -euo pipefail

(($# == 1)) || { echo "usage: scripts/test_package.sh FILE.deb" >&2 && exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
deb=$(realpath "$1")
readonly here deb
[[ -f $deb ]] || { echo "test_package: no file $1; make package writes one" >&2 && exit 66; }
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

passed=0 failed=0 skipped=0
# check WHAT COMMAND…
check() {
  if "${@:2}" >"$work/log" 2>&1; then
    passed=$((passed + 1))
    echo "passed: $1"
  else
    failed=$((failed + 1))
    echo "FAILED: $1"
    tail -n 20 "$work/log" | sed 's/^/  | /'
  fi
}
skip() {
  skipped=$((skipped + 1))
  echo "skipped: $1"
}
finish() {
  echo "test_package: $passed passed, $failed failed, $skipped skipped"
  ((failed == 0))
  exit
}

work=$(mktemp -d)
readonly work
# One file system only: should a mount be left in it, what it shows stays.
trap 'rm -rf --one-file-system -- "$work"' EXIT
root=$work/root
readonly root

if command -v lintian >/dev/null; then
  lint() { lintian --allow-root --fail-on error "$deb"; }
  check "lintian finds no errors" lint
else
  skip "lintian is not installed"
fi

reason=
if (($(id -u) != 0)); then
  reason="this is not root"
elif ! command -v debootstrap >/dev/null; then
  reason="debootstrap is not installed"
elif ! unshare --mount true 2>"$work/log"; then
  reason="no mount namespace is allowed here"
fi
if [[ -n $reason ]]; then
  skip "the installation in a minimal system, because $reason"
  finish
fi

release=${RELEASE:-$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)}
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
  awk -v release="$release" '$2 == release { print $1; exit }')}
mirror=${mirror:-http://deb.debian.org/debian}
readonly release mirror
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vqvae/minbase-$release-$(dpkg --print-architecture).tar

# A copy of the cached minimal system, or a new one.
make_root() {
  mkdir -p "$root" "$(dirname "$cache")"
  if [[ -n $(find "$cache" -mtime -7 2>/dev/null) ]]; then
    tar -xpf "$cache" -C "$root" --numeric-owner
    return
  fi
  unshare --mount debootstrap --variant=minbase "$release" "$root" "$mirror" || return
  # Its packages are installed: their files would only make the cache larger.
  rm -f "$root"/var/cache/apt/archives/*.deb
  tar -cf "$cache.$$" -C "$root" --numeric-owner --one-file-system . && mv -f "$cache.$$" "$cache"
}

# inside COMMAND…: runs a command in the minimal system. The time limit is for a program that hangs.
inside() {
  # shellcheck disable=SC2016
  timeout 600 unshare --mount --pid --fork --kill-child --propagation private bash -euc '
    mount -t proc proc "$1/proc"
    cd /
    exec chroot "$@"' bash "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@"
}

echo "A minimal $release from $mirror, about a minute unless $cache is there"
before=$failed
check "a minimal system can be made" make_root
((failed == before)) || finish
for file in resolv.conf hosts; do cp -L "/etc/$file" "$root/etc/$file"; done
mkdir -p "$root/test/scripts"
cp "$deb" "$root/test/vqvae.deb"
cp "$here/smoke.sh" "$root/test/scripts"
ln -s /usr/share/vqvae/configs "$root/test/configs"

check "apt reads its package lists" inside apt-get update -qq
check "there is no Swift" inside sh -c '! command -v swift && test ! -e /usr/lib/swift'
check "the package installs" inside apt-get install -qq -y --no-install-recommends /test/vqvae.deb
if ((failed == before)); then
  version=$(dpkg-deb --field "$deb" Version)
  check "vqvae reports version $version" inside sh -c "vqvae --version | grep -F '${version//\~/-}'"
  check "every library is found" inside sh -c 'if ldd /usr/bin/vqvae | grep "not found"; then exit 1; fi'
  check "the files are those of the package" inside sh -c 'test -z "$(dpkg --verify vqvae)"'
  check "an ordinary user trains, evaluates and reconstructs" \
    inside setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/tmp /test/scripts/smoke.sh /usr/bin/vqvae
  check "the package can be removed" inside apt-get purge -qq -y vqvae
  check "and leaves no file" inside sh -c 'test -z "$(find / -xdev -name "*vqvae*" -not -path "/test/*")"'
fi
check "no mount is left" sh -c "! grep -F ' $work/' /proc/self/mountinfo"
finish
