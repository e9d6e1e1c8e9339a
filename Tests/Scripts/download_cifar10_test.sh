#!/usr/bin/env bash
# Tests scripts/download_cifar10.sh against a server on 127.0.0.1; takes a few seconds.
set -euo pipefail
# shellcheck source=Tests/Scripts/checks.sh
source "$(dirname "$0")/checks.sh"

script=$(cd "$(dirname "$0")/../.." && pwd)/scripts/download_cifar10.sh
file_limit=$(ulimit -S -f)
readonly script file_limit
readonly inside=cifar-10-batches-bin
readonly names=(data_batch_{1..5}.bin test_batch.bin batches.meta.txt)

if ! python3 -c '' 2>/dev/null || ! { command -v curl || command -v wget; } >/dev/null; then
  echo "download_cifar10_test: skipped, it needs python3 and curl or wget"
  exit 0
fi

work=$(mktemp -d)
readonly work
server=
cleanup() {
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  rm -rf -- "$work"
}
trap cleanup EXIT
unset CIFAR10_URL CIFAR10_SIZE CIFAR10_SHA256 http_proxy HTTP_PROXY all_proxy ALL_PROXY
mkdir "$work/www" "$work/programs"

# Archives: a valid one, and one for each kind of attack or damage.
python3 - "$work" <<'END'
import io, os, random, sys, tarfile

work, inside, R = sys.argv[1], "cifar-10-batches-bin", random.Random(0)
bins = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
records = {name: R.randbytes(3 * 3073) for name in bins} | {"batches.meta.txt": b"airplane\ntruck\n"}

def member(name, type=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = type, link
    return info

def archive(name, contents=records, extra=(), replaced=None):
    with tarfile.open(f"{work}/www/{name}.tar.gz", "w:gz", compresslevel=1) as tar:
        for info, data in extra:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for file, data in contents.items():
            info = member(f"{inside}/{file}")
            if replaced and file == "data_batch_1.bin":
                info.type, info.linkname = replaced
                data = b""
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))

archive("good")
good = open(f"{work}/www/good.tar.gz", "rb").read()
for name, data in {
    "truncated": good[:-1000],
    "bigger": good + b"x",
    "wrong": good[:-1] + bytes([good[-1] ^ 1]),
}.items():
    open(f"{work}/www/{name}.tar.gz", "wb").write(data)

os.mkdir(f"{work}/outside")
archive("extra", extra=[
    (member("../evil"), b"evil"),
    (member(f"{inside}/../../../evil"), b"evil"),
    (member(f"{work}/evil"), b"evil"),
    (member(inside, tarfile.SYMTYPE, f"{work}/outside"), b""),
    (member(f"{inside}/door", tarfile.SYMTYPE, f"{work}/outside"), b""),
    (member(f"{inside}/door/evil"), b"evil"),
])
archive("symlink", replaced=(tarfile.SYMTYPE, f"{work}/outside/evil"))
archive("hardlink", replaced=(tarfile.LNKTYPE, f"{inside}/test_batch.bin"))
archive("fifo", replaced=(tarfile.FIFOTYPE, ""))
archive("device", replaced=(tarfile.CHRTYPE, ""))
archive("missing", {n: d for n, d in records.items() if n != "test_batch.bin"})
archive("empty", records | {"test_batch.bin": b""})
archive("ragged", records | {"test_batch.bin": b"x" * 3074})
archive("bomb", records | {"test_batch.bin": bytes(10001 * 3073)})
for name in bins:
    open(f"{work}/{name}", "wb").write(records[name])
END

# `python3 -m http.server`, and three servers that misbehave.
cat >"$work/server.py" <<'END'
import http.server, os, sys, time

class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path not in ("/cut", "/stuck", "/endless"):
            return super().do_GET()
        self.send_response(200)
        if self.path == "/cut":
            self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"x" * 5000)
        if self.path == "/stuck":
            time.sleep(60)
        try:
            while self.path == "/endless":
                self.wfile.write(b"x" * 5000)
        except OSError:
            print("hung up", file=sys.stderr)

os.chdir(sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
END
serve "$work/server.py" "$work/www"


size_of() { echo $(($(wc -c <"$1"))); }
sha256_of() { python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1"; }

# run [ARGUMENT...]: runs the script; sets status, out and err
run() {
  status=0
  PATH=$path "$script" "$@" >"$work/out" 2>"$work/err" || status=$?
}

# declare_archive FILE: sets the size and hash that the script expects
declare_archive() {
  CIFAR10_SIZE=$(size_of "$work/www/$1.tar.gz") CIFAR10_SHA256=$(sha256_of "$work/www/$1.tar.gz")
  export CIFAR10_SIZE CIFAR10_SHA256
}

# get PATH: runs the script with that URL and a fresh folder
get() {
  export CIFAR10_URL=$address/$1
  case="$downloader $1"
  folder=$work/area/data
  rm -rf "$work/area"
  run "$folder"
}

exits() { ((status == $1)); }
prints() { grep -qF -- "$1" "$work/out"; }
prints_line() { grep -qxF -- "$1" "$work/out"; }
complains() { grep -qF -- "$1" "$work/err"; }
is_silent() { [[ ! -s $work/err ]]; }
is_regular() { [[ -f $1 && ! -L $1 ]]; }
nothing_left() { [[ -z $(find "$work/area" ! -type d) && ! -e $work/area/data/$inside ]]; }
only_the_members() {
  [[ $(cd "$work/area" && find . ! -type d | sort) == "$(printf "./data/$inside/%s\n" "${names[@]}" | sort)" ]]
}
nothing_outside() {
  [[ ! -e $work/evil && ! -e $work/area/evil && ! -e $work/area/data/evil && -z $(ls -A "$work/outside") ]]
}
requests() { grep -c '"GET ' "$work/requests" || true; }
is_equal() { [[ $1 == "$2" ]]; }

test_downloads() {
  declare_archive good
  get good.tar.gz
  check exits 0
  check is_silent
  check only_the_members
  for name in data_batch_{1..5}.bin test_batch.bin; do
    check cmp -s "$work/$name" "$folder/$inside/$name"
  done
  check is_equal "$(tail -n 3 "$work/out")" "data:
  kind: cifar10
  root: $folder/$inside"

  get truncated.tar.gz
  check exits 65
  check complains "expected: $CIFAR10_SIZE bytes"
  check complains "found:    $((CIFAR10_SIZE - 1000)) bytes"
  check nothing_left

  get wrong.tar.gz
  check exits 65
  check complains "SHA-256"
  check complains "expected: $CIFAR10_SHA256"
  check complains "found:    $(sha256_of "$work/www/wrong.tar.gz")"
  check nothing_left

  # A file may reach the expected size plus one byte, rounded up to a KiB.
  for name in bigger.tar.gz endless; do
    ulimit -S -f $((CIFAR10_SIZE / 1024 + 1))
    get "$name"
    ulimit -S -f "$file_limit"
    check exits 65
    check complains "found:    more than $CIFAR10_SIZE bytes"
    check nothing_left
  done
  check wait_for grep -q 'hung up' "$work/requests"

  get absent.tar.gz
  check exits 69
  check complains 404
  check nothing_left

  get cut
  check exits 69
  check complains "5000 bytes, then"
  check nothing_left
}

test_hostile_archives() {
  declare_archive extra
  get extra.tar.gz
  check exits 0
  check only_the_members
  check is_regular "$folder/$inside/data_batch_1.bin"
  check nothing_outside

  for name in symlink hardlink fifo device missing empty ragged bomb; do
    declare_archive "$name"
    get "$name.tar.gz"
    check exits 65
    check complains "is not usable"
    check nothing_left
    check nothing_outside
  done
}

test_folders() {
  local before
  declare_archive good

  # A limit on the file size imitates a full disk.
  ulimit -S -f 1
  get good.tar.gz
  ulimit -S -f "$file_limit"
  check exits 73
  check complains "cannot write"
  check nothing_left

  case="a file where the folder should be"
  rm -rf "$work/area/data"
  echo mine >"$work/area/data"
  run "$work/area/data"
  check exits 73
  check is_equal "$(<"$work/area/data")" mine

  case="a folder where a file should be"
  mkdir -p "$work/area/taken/$inside/test_batch.bin"
  run "$work/area/taken"
  check exits 73

  case="a difficult name"
  run "$work/area/it's: a #1"
  check exits 0
  check prints_line "  root: '$work/area/it''s: a #1/$inside'"

  case="the default folder"
  mkdir "$work/area/here"
  cd "$work/area/here"
  run
  cd "$OLDPWD"
  check exits 0
  check prints_line "  root: data/cifar10/$inside"
  check test -s "$work/area/here/data/cifar10/$inside/test_batch.bin"

  # Sparse files of the official sizes: the data set is complete, so the server must get no request.
  case="a complete folder"
  folder=$work/area/complete
  mkdir -p "$folder/$inside"
  echo airplane >"$folder/$inside/batches.meta.txt"
  for name in data_batch_{1..5}.bin test_batch.bin; do
    dd if=/dev/null of="$folder/$inside/$name" bs=1 seek=30730000 2>/dev/null
  done
  before=$(requests)
  run "$folder"
  check exits 0
  check prints "Already complete"
  check prints_line "  root: $folder/$inside"
  check is_equal "$(requests)" "$before"

  case="a folder that is not quite complete"
  dd if=/dev/null of="$folder/$inside/test_batch.bin" bs=1 seek=30729999 2>/dev/null
  run "$folder"
  check exits 0
  check is_equal "$(requests)" "$((before + 1))"
  check cmp -s "$work/test_batch.bin" "$folder/$inside/test_batch.bin"
}

test_usage() {
  case="usage"
  run one two
  check exits 64
  check complains "too many arguments"
  run --unknown
  check exits 64
  run ""
  check exits 64
  CIFAR10_SIZE=1e9 run "$work/area/usage"
  check exits 64
  CIFAR10_SHA256=abc run "$work/area/usage"
  check exits 64
  run --help
  check exits 0
  check prints "Usage: download_cifar10.sh [FOLDER]"
  check test ! -e "$work/area/usage"
}

test_termination() {
  local before script_id
  case="termination"
  before=$(requests)
  rm -rf "$work/area"
  CIFAR10_URL=$address/stuck PATH=$path "$script" "$work/area/data" >"$work/out" 2>"$work/err" &
  script_id=$!
  requested() { (($(requests) > before)); }
  check wait_for requested
  kill -TERM "$script_id"
  status=0
  wait "$script_id" 2>/dev/null || status=$?
  check exits 143
  check nothing_left
}

path=$PATH
for downloader in curl wget; do
  if ! command -v "$downloader" >/dev/null; then
    echo "download_cifar10_test: $downloader skipped, it is not installed"
    continue
  fi
  if [[ $downloader == wget ]]; then # a PATH without curl
    for name in bash tar gzip wget sha256sum shasum perl cat cut head tail mkdir mktemp mv rm rmdir wc; do
      ! program=$(command -v "$name") || ln -sf "$program" "$work/programs/$name"
    done
    path=$work/programs
  fi
  test_downloads
done
path=$PATH downloader=default
test_hostile_archives
test_folders
test_usage
test_termination

kill "$server"
wait "$server" 2>/dev/null || true
server=
case="server down"
get good.tar.gz
check exits 69
check nothing_left

finish_checks
