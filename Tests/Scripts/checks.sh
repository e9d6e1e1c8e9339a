# Counted checks for the tests of scripts; to be sourced.
#
# A test sets `work`, a folder with the files out and err of the program that it ran last, `case`, the name of the case,
# and `status`, the program's exit status. It ends with finish_checks.
# shellcheck shell=bash disable=SC2154

passed=0 failed=0 skipped=0 case='' status=0

# check COMMAND…: counts whether a command succeeds, and shows what there is to see if not.
check() {
  if "$@" >"$work/said" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAIL %s: %s (exit status %s)\n' "$case" "$*" "$status"
    sed 's/^/  | /' "$work/out" "$work/err" "$work/said"
  fi
}

# wait_for COMMAND…: repeats a command until it succeeds, for up to five seconds.
wait_for() {
  local i
  for ((i = 0; i < 100; i++)); do
    ! "$@" || return 0
    sleep 0.05
  done
  return 1
}

# serve SERVER FOLDER: starts a Python program that prints its port and serves a folder on loopback. Sets server, its
# process, and address; its log is in the file requests.
serve() {
  python3 -u "$1" "$2" >"$work/port" 2>"$work/requests" &
  server=$!
  wait_for test -s "$work/port" || { echo "the server did not start" >&2; exit 1; }
  address=http://127.0.0.1:$(<"$work/port")
  readonly address
}

finish_checks() {
  echo "$passed passed, $failed failed, $skipped skipped"
  ((failed == 0))
}
