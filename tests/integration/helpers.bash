# What the bats files share: bundles, calls of the runtime, the leak audit.
#
# RUNTIME is the runtime under test (default: tare of the build tree). Every file runs against
# another runtime too, as a control; what only tare promises is in tests that call only_tare.
#
#   ROOT     the state root of the file        ID      a container id of the test's own
#   BUNDLE   made by make_bundle               status, output, stderr, lines: as bats has them
#
# bats' variables (status, output, stderr, BATS_*) come from outside this file.
# shellcheck shell=bash disable=SC2154

bats_require_minimum_version 1.5.0

TOP=${top_srcdir:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
RUNTIME=${RUNTIME:-${TARE:-${top_builddir:-$TOP/build}/tare}}
export LC_ALL=C

# gojq is jq, and starts three times as fast: the tests call it thousands of times.
if type -P gojq >/dev/null; then
  jq() { gojq "$@"; }
  export -f jq
fi

# ---- files ---------------------------------------------------------------------------------------

# For setup_file. TAG is in every id and in every path, so the audit finds what was left.
file_begin() {
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  [ -x "$RUNTIME" ] || { echo "no runtime: $RUNTIME" >&2; return 1; }
  TAG=tt$$x$RANDOM
  WORK=$(mktemp -d "/tmp/$TAG.XXXXXX")
  ROOT=$WORK/root
  export TAG WORK ROOT
  mkdir -p "$WORK/rootfs/bin"
  cp "$(command -v busybox)" "$WORK/rootfs/bin/busybox"
  local name
  for name in $("$WORK/rootfs/bin/busybox" --list); do
    [ "$name" = busybox ] || ln -s busybox "$WORK/rootfs/bin/$name"
  done
}

# Call in teardown_file: what the file's tests left behind makes the file fail.
file_end() {
  local result=0
  [ -n "${WORK:-}" ] || return 0 # it was not begun
  leak_audit || result=1
  rm -rf "$WORK"
  return $result
}

# For setup.
test_begin() {
  ID=$TAG-$BATS_TEST_NUMBER
  BUNDLE=$WORK/bundle-$BATS_TEST_NUMBER
}

# For teardown: every container of the test is gone, whatever came of it.
test_end() {
  local directory
  for directory in "$ROOT"/*/; do
    [ ! -d "$directory" ] || rt delete --force "$(basename "$directory")" >&2 || true
  done
  rm -rf "$BUNDLE"
}

# What a file does that does not say otherwise.
setup_file() { file_begin; }
teardown_file() { file_end; }
setup() { test_begin; }
teardown() { test_end; }

is_tare() {
  [ "$(basename "$RUNTIME")" = tare ]
}

only_tare() {
  is_tare || skip "only tare promises this"
}

# ---- the runtime ---------------------------------------------------------------------------------

# descriptor 3 is bats' own and must not reach a container
rt() {
  "$RUNTIME" --root "$ROOT" "$@" 3>&-
}

# run with the output streams apart. bats takes 127 for a mistake in the test unless it is told:
# EXPECT=127 run_rt ...
run_rt() {
  run ${EXPECT:+"-$EXPECT"} --separate-stderr rt "$@"
}

# A bundle whose program is "$@".
make_bundle() {
  mkdir -p "$BUNDLE"
  # links, not copies: a test that changes a file of the root file system makes it anew first
  cp -al "$WORK/rootfs" "$BUNDLE/rootfs"
  "$RUNTIME" spec --bundle "$BUNDLE"
  # one by one: jq's --args takes "-c" for an option of its own
  local argument
  config '.process.terminal = false | .process.args = $args' \
    --argjson args "$(for argument; do jq -n --arg a "$argument" '$a'; done | jq -s .)"
}

# Edits config.json by a jq filter.
config() {
  local filter=$1
  shift
  jq "$filter" "$BUNDLE/config.json" "$@" >"$BUNDLE/config.new"
  mv "$BUNDLE/config.new" "$BUNDLE/config.json"
}

status_of() {
  rt state "$1" | jq -r .status
}

pid_of() {
  rt state "$1" | jq -r .pid
}

# wait_until N COMMAND...: tries every 50 ms, for N seconds; six times that where the machine has
# so much else to do. Only a failure takes long.
wait_until() {
  local end=$((SECONDS + $1 * ${TARE_TEST_PATIENCE:-6}))
  shift
  while ! "$@"; do
    [ "$SECONDS" -lt "$end" ] || { echo "never true: $*" >&2; return 1; }
    sleep 0.05
  done
}

# $ID-old has ended, and $ID runs in the group that it had.
run_two_in_one_group() {
  make_bundle true
  config '.linux.cgroupsPath = $path' --arg path "/$TAG-shared"
  rt run --detach --bundle "$BUNDLE" "$ID-old" </dev/null >/dev/null 2>&1
  wait_until 10 has_status "$ID-old" stopped
  config '.process.args = ["sleep", "1000"]'
  rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
}

# traced OPTIONS... -- COMMAND...: under strace. LeakSanitizer cannot work in a traced process.
traced() {
  ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 strace "$@"
}

# in_terminal TEXT: bats' run of this bash text with a terminal of 33 x 77 around it; its output
# without carriage returns, and without the end of file of script's own input, which is echoed when
# it comes. script would take the caller's $SHELL.
in_terminal() {
  SHELL=/bin/bash run timeout 250 script -qec "stty rows 33 cols 77; $1" /dev/null </dev/null 3>&-
  output=${output//[$'\r\b']/}
  output=${output//^@/}
}

has_status() {
  [ "$(status_of "$1")" = "$2" ]
}

# ---- assertions ----------------------------------------------------------------------------------

# The last run failed with this status, one line on stderr that contains the words, and no output.
assert_error() {
  local wanted=$1 words=$2
  [ "$status" -eq "$wanted" ] || fail_with "status $status, wanted $wanted"
  [ -z "$output" ] || fail_with "unexpected output"
  [ -n "$stderr" ] || fail_with "nothing on stderr"
  if is_tare; then
    [ "${#stderr_lines[@]}" -eq 1 ] || fail_with "${#stderr_lines[@]} lines on stderr"
  fi
  [[ $stderr == *"$words"* ]] || fail_with "stderr lacks '$words'"
}

assert_success() {
  [ "$status" -eq 0 ] || fail_with "status $status"
}

assert_output() {
  [ "$output" = "$1" ] || fail_with "output is not '$1'"
}

fail_with() {
  printf '%s\nstatus: %s\nstdout: %s\nstderr: %s\n' "$1" "$status" "$output" "${stderr:-}" >&2
  return 1
}

# The file is one JSON object, of level error, with these words.
assert_one_record() {
  local file=$1 words=$2
  jq -es 'length == 1 and .[0].level == "error" and (.[0].time | test("^2.*T.*Z?"))
          and (.[0].msg | contains($words))' --arg words "$words" "$file" >/dev/null ||
    { echo "not one error record with '$words':" >&2; cat "$file" >&2; return 1; }
}

# No trace of container ID in the root, and no group of it.
assert_nothing_left() {
  local id=${1:-$ID}
  [ ! -e "$ROOT/$id" ] || { echo "left: $ROOT/$id" >&2; return 1; }
  [ -z "$(cgroups_of "$id")" ] || { echo "left: $(cgroups_of "$id")" >&2; return 1; }
}

# ---- the leak audit ------------------------------------------------------------------------------

cgroups_of() {
  find /sys/fs/cgroup -depth -type d -name "*$1*" 2>/dev/null || true
}

# Processes that live in a mount namespace of their own with a mount of ours in it, and inits that
# wait in one of our bundles.
processes_of() {
  local own file directory
  own=$(readlink /proc/self/ns/mnt)
  for file in $(grep -lsF "$1" /proc/[0-9]*/mountinfo || true); do
    directory=${file%/mountinfo}
    [ "$(readlink "$directory/ns/mnt" 2>/dev/null)" != "$own" ] || continue
    echo "$(basename "$directory"): $(tr '\0' ' ' <"$directory/cmdline" 2>/dev/null)"
  done
}

# Those that have a file of ours as a standard stream: inits that got no further.
holders() {
  find /proc/[0-9]*/fd/[012] -maxdepth 0 -lname "*$1*" 2>/dev/null || true
}

leak_audit() {
  local result=0 left
  left=$(ls -A --ignore=.seccomp "$ROOT" 2>/dev/null) || true # compiled filters are kept
  [ -z "$left" ] || { echo "# leak: state root has: $left" >&3; result=1; }
  left=$(cgroups_of "$TAG")
  [ -z "$left" ] || { echo "# leak: control groups: $left" >&3; result=1; }
  left=$(grep -F "$TAG" /proc/self/mountinfo) || true
  [ -z "$left" ] || { echo "# leak: mounts: $left" >&3; result=1; }
  left=$(processes_of "$TAG")
  [ -z "$left" ] || { echo "# leak: processes: $left" >&3; result=1; }
  left=$(holders "$TAG")
  [ -z "$left" ] || { echo "# leak: open in: $left" >&3; result=1; }
  left=$(ls /dev/shm | grep -F "$TAG") || true
  [ -z "$left" ] || { echo "# leak: /dev/shm: $left" >&3; result=1; }
  return $result
}
