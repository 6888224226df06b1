#!/usr/bin/env bats
# views: v2
# What each verb costs, in system calls of both sides and in instructions of user space: what does
# not depend on the machine's speed. A budget that is exceeded is either mended or, with a reason in
# the commit, raised; one that has become generous is lowered.

load helpers
load inside

setup_file() {
  file_begin
  export COUNT=${top_builddir:-$TOP/build}/tests/bench/count
}
setup() {
  only_tare
  [ "${TARE_SANITIZED:-0}" = 0 ] || skip "the sanitizers' own calls count too"
  test_begin
}

# within MOST VERB...: system calls of `tare VERB...`.
within() {
  local most=$1 calls
  shift
  calls=$("$COUNT" "$RUNTIME" --root "$ROOT" "$@" </dev/null 3>&-) || {
    echo "$*: fails" >&2
    return 1
  }
  echo "# $1: $calls of $most system calls" >&3
  [ "$calls" -le "$most" ]
}

is_v2() {
  [ -e /sys/fs/cgroup/cgroup.controllers ]
}

@test "system calls: run" {
  make_bundle true
  within "$(if is_v2; then echo 546; else echo 902; fi)" run --bundle "$BUNDLE" "$ID"
}

@test "system calls: create, state, start, exec, kill, delete" {
  make_bundle sleep 1000
  local most=(768 72 91 355 69 130)
  is_v2 && most=(475 65 82 268 57 67)
  within "${most[0]}" create --bundle "$BUNDLE" "$ID"
  within "${most[1]}" state "$ID"
  within "${most[2]}" start "$ID"
  within "${most[3]}" exec "$ID" true
  within "${most[4]}" kill "$ID" CONT
  rt kill "$ID" KILL
  wait_until 10 has_status "$ID" stopped
  within "${most[5]}" delete "$ID"
}

# A start with musl is some 33,000 instructions, with glibc 83,000, 50 of them CPUID, which a virtual
# machine traps.
@test "instructions: a start" {
  local start limit=100000
  ! grep -qx 'tare_linkage = musl' "${top_builddir:-$TOP/build}/Makefile" || limit=35000
  start=$("$COUNT" -i "$RUNTIME" --version </dev/null 3>&-)
  start=${start##*$'\n'}
  echo "# --version: $start of $limit instructions" >&3
  [ "$start" -le "$limit" ]
}

@test "instructions: run" {
  is_v2 || skip "the same with v1's controllers: counted in the v2 view"
  make_bundle true
  local instructions
  instructions=$("$COUNT" -i "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-)
  echo "# run: $instructions instructions" >&3
  [ "$instructions" -le 627000 ]
}
