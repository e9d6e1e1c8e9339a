#!/usr/bin/env bash
# Tests scripts/install_swift.sh, and what scripts/install_packages.sh says without Swift, against a server on
# 127.0.0.1 with a false swiftly; takes a few seconds.
set -euo pipefail
# shellcheck source=Tests/Scripts/checks.sh
source "$(dirname "$0")/checks.sh"

scripts=$(cd "$(dirname "$0")/../.." && pwd)/scripts
readonly scripts
for name in python3 curl gpg gpgconf; do
  command -v "$name" >/dev/null || { echo "install_swift_test: skipped, it needs $name" && exit 0; }
done

work=$(mktemp -d)
readonly work
server=
cleanup() {
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  for name in swift stranger expired; do gpgconf --homedir "$work/$name" --kill all 2>/dev/null || true; done
  rm -rf -- "$work"
}
trap cleanup EXIT
unset SWIFT_VERSION INSTALL_SWIFT SWIFTLY_HOME_DIR SWIFTLY_BIN_DIR http_proxy HTTP_PROXY all_proxy ALL_PROXY
machine=$(uname -m)
readonly machine www=$work/www
mkdir "$www"

# The false swiftly notes how it was called, and installs a false swift.
cat >"$work/swiftly" <<'END'
#!/usr/bin/env bash
set -euo pipefail
echo "$*" >>"$CALLS"
[[ ${BREAK:-} != "$1" ]] || { echo "swiftly: broken on purpose" >&2 && exit 1; }
case $1 in
  init)
    mkdir -p "$SWIFTLY_HOME_DIR" "$SWIFTLY_BIN_DIR"
    mv "$0" "$SWIFTLY_BIN_DIR/swiftly"
    echo "export PATH=$SWIFTLY_BIN_DIR:\$PATH" >"$SWIFTLY_HOME_DIR/env.sh" ;;
  install)
    printf '#!/bin/sh\necho "Swift version %s.1 (false)"\n' "$2" >"$SWIFTLY_BIN_DIR/swift"
    chmod +x "$SWIFTLY_BIN_DIR/swift"
    [[ -z ${NEEDS:-} ]] || echo "$NEEDS" >"${@: -1}" ;;
esac
END
chmod +x "$work/swiftly"

# make_key NAME [EXPIRY-OPTION…]
make_key() {
  mkdir -m 700 "$work/$1"
  gpg --homedir "$work/$1" --batch --quiet --passphrase '' "${@:2}" \
    --quick-generate-key "$1 <$1@example.org>" ed25519 sign "$([[ $1 == expired ]] && echo 1d || echo never)" 2>/dev/null
}
# sign NAME ARCHIVE [OPTION…]
sign() {
  gpg --homedir "$work/$1" --batch --quiet --yes "${@:3}" --detach-sign --output "$2.sig" "$2" 2>/dev/null
}
make_key swift
make_key stranger
make_key expired --faked-system-time 20200101T000000
for name in swift expired; do gpg --homedir "$work/$name" --export --armor; done >"$www/keys.asc"

# A folder for each case, because the script asks for the official name of the archive in it.
for name in good cut short wrong stranger expired unsigned empty; do mkdir "$www/$name"; done
archive=swiftly-$machine.tar.gz
tar -czf "$www/good/$archive" -C "$work" swiftly
size=$(wc -c <"$www/good/$archive")
for name in cut wrong stranger expired unsigned; do cp "$www/good/$archive" "$www/$name"; done
head -c $((size - 20)) "$www/good/$archive" >"$www/short/$archive"
touch "$work/README"
tar -czf "$www/empty/$archive" -C "$work" README
sign swift "$www/good/$archive"
for name in cut short wrong; do cp "$www/good/$archive.sig" "$www/$name"; done
printf x >>"$www/wrong/$archive"
sign swift "$www/empty/$archive"
sign stranger "$www/stranger/$archive"
sign expired "$www/expired/$archive" --faked-system-time 20200101T120000

# `python3 -m http.server`, except that it hangs up in the middle of an archive in /cut/.
cat >"$work/server.py" <<'END'
import http.server, os, sys

class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if not (self.path.startswith("/cut/") and self.path.endswith(".gz")):
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"x" * 5000)

os.chdir(sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
END
serve "$work/server.py" "$www"

# The programs of this machine except Swift, and a `uname` and `id` that can be told what to say.
programs=$work/programs
mkdir "$programs"
for name in bash sh env cat chmod curl dirname gpg grep gzip head mkdir mktemp mv rm sed sort tail tar tr basename wc \
  pkg-config; do
  ! program=$(command -v "$name") || ln -s "$program" "$programs/$name"
done
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "${MACHINE:-%s}"\n' "$machine" >"$programs/uname"
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "${USER_ID:-0}"\n' >"$programs/id"
chmod +x "$programs/uname" "$programs/id"

exits() { ((status == $1)); }
complains() { grep -qF -- "$1" "$work/err"; }
has_called() { grep -qF -- "$1" "$work/calls"; }
is_equal() { [[ $1 == "$2" ]]; }
requests() { grep -c '"GET ' "$work/requests" || true; }
nothing_installed() { [[ -z $(find "$home" -type f) ]]; }
no_temporary_files() { [[ -z $(ls -A "$work/tmp") ]]; }

# run SCRIPT [ARGUMENT…]: sets status, out and err
run() {
  status=0
  PATH=$programs HOME=$home TMPDIR=$work/tmp CALLS=$work/calls "$scripts/$1" "${@:2}" \
    >"$work/out" 2>"$work/err" || status=$?
}
# get FOLDER: runs the script with swiftly's archive in that folder, and a fresh home
get() {
  case=${2:-$1}
  home="$work/home/a user"
  rm -rf -- "${work:?}/home" "$work/tmp" "$work/calls"
  mkdir -p "$home" "$work/tmp"
  touch "$work/calls"
  export SWIFTLY_URL=$address/$1 SWIFT_KEYS_URL=$address/keys.asc
  run install_swift.sh
}

get good
bin="$home/.local/share/swiftly/bin"
check exits 0
check complains "Installed Swift version 6.3.1"
check complains ". \"$home/.local/share/swiftly/env.sh\""
check has_called "init --assume-yes --skip-install --quiet-shell-followup --no-modify-profile"
check has_called "install 6.3 --use --assume-yes --post-install-file $work/tmp/"
check test -x "$bin/swift"
check test ! -e "$home/.gnupg"
check no_temporary_files

case="an existing installation"
before=$(requests)
: >"$work/calls"
SWIFT_VERSION=6.2.1 run install_swift.sh
check exits 0
check is_equal "$(requests)" "$before"
check is_equal "$(wc -l <"$work/calls")" 1
check has_called "install 6.2.1 --use"

case="other folders"
SWIFTLY_HOME_DIR=$work/home/h SWIFTLY_BIN_DIR=$work/home/b run install_swift.sh
check exits 0
check test -x "$work/home/b/swift"

for name in wrong stranger expired short; do
  get "$name"
  check exits 65
  check complains "has no valid signature"
  check nothing_installed
  check no_temporary_files
done

get empty
check exits 65
check complains "expected: a file swiftly in it"
check nothing_installed

get cut
check exits 69
check complains "cannot download $address/cut/$archive"
check nothing_installed

for name in unsigned absent; do
  get "$name"
  check exits 69
  check complains 404
  check nothing_installed
done

MACHINE=riscv64 get good "an unsupported machine"
check exits 69
check complains "found:    riscv64"
check nothing_installed

for name in curl gpg; do
  mv "$programs/$name" "$work/away"
  get good "no $name"
  mv "$work/away" "$programs/$name"
  check exits 69
  check complains "expected: $name"
  check complains "apt-get install curl ca-certificates gnupg"
  check nothing_installed
done

BREAK=init get good "swiftly init fails"
check exits 69
check complains "broken on purpose"
check nothing_installed
BREAK=install get good "swiftly install fails"
check exits 69
check complains "could not install Swift 6.3"
check no_temporary_files

NEEDS="echo installed >'$work/home/system'" get good "system packages, as root"
check exits 0
check test -e "$work/home/system"
NEEDS="false" get good "system packages that cannot be installed"
check exits 69
check complains "cannot install the system packages"
USER_ID=1000 NEEDS="apt-get install libsomething" get good "system packages, without root and sudo"
check exits 69
check complains "  apt-get install libsomething"

case=usage
run install_swift.sh --unknown
check exits 64
run install_swift.sh one two
check exits 64
SWIFT_VERSION=latest run install_swift.sh
check exits 64
run install_swift.sh --how
check exits 0
# shellcheck disable=SC2016
check grep -qF 'swiftly-$(uname -m).tar.gz' "$work/out"
run install_swift.sh --help
check exits 0

case="install_packages.sh without Swift"
rm -rf -- "${work:?}/home"
mkdir -p "$home"
run install_packages.sh
check exits 69
check complains "INSTALL_SWIFT=1"
check complains "./swiftly init"
check complains "docker run"
check nothing_installed

case="install_packages.sh with INSTALL_SWIFT=1"
SWIFTLY_URL=$address/good INSTALL_SWIFT=1 run install_packages.sh
check complains "Installed Swift version 6.3.1"
check test -x "$bin/swift"
if pkg-config --exists openblas lapacke libpng; then check exits 0; fi
before=$(requests)
INSTALL_SWIFT=1 run install_packages.sh
check is_equal "$(requests)" "$before"

case="install_packages.sh with an old Swift"
printf '#!/bin/sh\necho "Swift version 5.10.1"\n' >"$bin/swift"
run install_packages.sh
check exits 69
check complains "found:    5.10 in $bin/swift"

kill "$server"
wait "$server" 2>/dev/null || true
server=
get good "server down"
check exits 69
check nothing_installed

finish_checks
