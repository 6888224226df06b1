#!/usr/bin/env bats
# What a review of the host side found: races between verbs, callers that are not as ours, an init
# that cannot answer.

load helpers

EMBED=${top_builddir:-$TOP/build}/tests/lib/embed
FAULTY=${top_builddir:-$TOP/build}/tests/tare-faults

setup_file() {
  is_tare || skip "only tare promises this"
  file_begin
}
teardown() {
  [ -z "${HOLDER:-}" ] || kill "$HOLDER" || true
  test_end
}

# Pid of a process that is the first of a pid namespace of its own, in INSIDE.
hold_pid_namespace() {
  unshare --pid --fork --kill-child sleep 100 3>&- &
  HOLDER=$!
  wait_until 5 pgrep -P "$HOLDER"
  INSIDE=$(pgrep -P "$HOLDER")
}

nothing_is_left_in_the_caller() {
  [[ $output == *"descriptors 0"* && $output == *"children 0"* && $output == *"changed 0"* ]] ||
    fail_with "the library left something in its caller"
}

@test "what init forks into a joined pid namespace is in the groups, and has its oom score" {
  make_bundle sleep 100
  hold_pid_namespace
  config '.process.oomScoreAdj = 500 | .linux.namespaces |= (map (select (.type != "pid"))
          + [{type: "pid", path: $path}])' --arg path "/proc/$INSIDE/ns/pid"
  TARE_FAULT=host:attach:stop "$FAULTY" --root "$ROOT" create --bundle "$BUNDLE" "$ID" 3>&- &
  local verb=$!
  wait_until 5 grep -q '^State:.T' /proc/$verb/status
  sleep 0.3 # init has all the time it may want
  kill -CONT $verb
  wait $verb
  local pid
  pid=$(pid_of "$ID")
  [ "$(cat "/proc/$pid/oom_score_adj")" -eq 500 ]
  # in every hierarchy in which it has a group
  local directory
  jq -r '.cgroups[]' "$ROOT/$ID/state.json" | while read -r directory; do
    grep -qx "$pid" "$directory/cgroup.procs" || { echo "not in $directory" >&2; false; }
  done
}

@test "a caller without 0, 1 and 2: the container finds /dev/null there, and nothing of ours" {
  make_bundle sleep 100
  "$EMBED" "$ROOT" close 0 close 1 close 2 create "$ID" "$BUNDLE" 3>&-
  local fd pid
  pid=$(pid_of "$ID")
  for fd in 0 1 2; do
    [ "$(readlink "/proc/$pid/fd/$fd")" = /dev/null ]
  done
}

@test "standard descriptors that are none are refused, those that are given arrive" {
  make_bundle sleep 100
  local verb number
  for verb in create exec; do
    for number in -2 -9 77 2147483647; do
      run "$EMBED" "$ROOT" close 0 stdio 0 "$number" $verb "$ID" "$BUNDLE" 3>&-
      [[ ${lines[0]} == "-9 stdio[0]: descriptor $number is not open" ]] || fail_with "$verb $number"
      nothing_is_left_in_the_caller
    done
    # a closed one of the caller's own, by its number, is not open either
    run "$EMBED" "$ROOT" close 1 stdio 1 1 $verb "$ID" "$BUNDLE" 3>&-
    [[ ${lines[0]} == "-9 stdio[1]: descriptor 1 is not open" ]] || fail_with "$verb 1"
  done
  "$EMBED" "$ROOT" close 0 stdio 1 7 stdio 2 8 create "$ID" "$BUNDLE" 7>"$BUNDLE/seven" 8>"$BUNDLE/eight" 3>&-
  local pid
  pid=$(pid_of "$ID")
  [ "$(readlink "/proc/$pid/fd/0")" = /dev/null ]
  [ "$(readlink "/proc/$pid/fd/1")" = "$BUNDLE/seven" ]
  [ "$(readlink "/proc/$pid/fd/2")" = "$BUNDLE/eight" ]
}

@test "descriptors to be kept that the caller does not have are refused, however many" {
  make_bundle sleep 100
  local count
  for count in 5 2147483647 4294967295; do
    run "$EMBED" "$ROOT" create "$ID" "$BUNDLE" $count 3>&-
    [[ ${lines[0]} == "-9 "*"descriptor 3 is not open" ]] || fail_with "not refused"
    nothing_is_left_in_the_caller
  done
}

@test "a long-lived caller: no verb leaves a descriptor or a child, done or failed" {
  make_bundle sleep 100
  cp "$BUNDLE/config.json" "$WORK/good"
  local filter
  for filter in '.root.path = "nothing"' '.process.args = ["/nothing"]' \
    '.linux.resources.memory.limit = 1'; do
    config "$filter"
    run "$EMBED" "$ROOT" create "$ID" "$BUNDLE" 3>&-
    [[ ${lines[0]} == -* ]] || fail_with "created"
    nothing_is_left_in_the_caller
    cp "$WORK/good" "$BUNDLE/config.json"
  done
  rt create --bundle "$BUNDLE" "$ID"
  jq '.cgroups = ["/x"]' "$ROOT/$ID/state.json" >"$WORK/forged"
  cp "$ROOT/$ID/state.json" "$WORK/record"
  cp "$WORK/forged" "$ROOT/$ID/state.json"
  local verb
  for verb in kill start exec delete; do
    run "$EMBED" "$ROOT" $verb "$ID" 3>&-
    [[ ${lines[0]} == *"is no cgroup directory" ]] || fail_with "$verb"
    nothing_is_left_in_the_caller
  done
  cp "$WORK/record" "$ROOT/$ID/state.json"
  for verb in start exec kill delete; do
    run "$EMBED" "$ROOT" $verb "$ID" 3>&-
    nothing_is_left_in_the_caller
  done
}

@test "start of an init that is stopped: an error, and the container is as it was" {
  make_bundle sleep 100
  rt create --bundle "$BUNDLE" "$ID"
  kill -STOP "$(pid_of "$ID")"
  run_rt start "$ID"
  assert_error 1 "its init is stopped"
  kill -CONT "$(pid_of "$ID")"
  rt start "$ID"
  [ "$(status_of "$ID")" = running ]
}

@test "an init that stops while it starts is not waited for without end, nor by delete --force" {
  make_bundle sleep 100
  config '.hooks.startContainer = [{path: "/bin/sleep", args: ["sleep", "20"]}]'
  rt create --bundle "$BUNDLE" "$ID"
  local pid
  pid=$(pid_of "$ID")
  (sleep 0.3 && kill -STOP "$pid") 3>&- &
  run_rt start "$ID"
  assert_error 1 "frozen, or stopped"
  kill -CONT "$pid"
  rt delete --force "$ID"

  rt create --bundle "$BUNDLE" "$ID"
  rt start "$ID" 2>/dev/null &
  sleep 0.3
  local began=$SECONDS
  rt delete --force "$ID"
  [ $((SECONDS - began)) -lt 5 ]
  ! wait $!
}

@test "where memfds must not be executed, a container is created all the same, and started" {
  make_bundle sleep 100
  local script=$WORK/noexec
  cat >"$script" <<'END'
set -e
mkdir -p "$LIBEXEC/tare"
cp "$INIT" "$LIBEXEC/tare/tare-init"
echo 2 >/proc/sys/vm/memfd_noexec
"$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
"$RUNTIME" --root "$ROOT" state "$ID" | jq -e '.status == "created"'
"$RUNTIME" --root "$ROOT" start "$ID"
"$RUNTIME" --root "$ROOT" delete --force "$ID"
END
  [ -e /proc/sys/vm/memfd_noexec ] || skip "vm.memfd_noexec is of Linux 6.3"
  local libexec hidden
  libexec=$(grep -ao '/[a-z/]*/libexec/tare/tare-init' "$RUNTIME" | head -1)
  libexec=${libexec%/tare/tare-init}
  hidden=$libexec # what is there is covered, for the test alone
  while [ ! -d "$hidden" ]; do
    hidden=$(dirname "$hidden")
  done
  export RUNTIME ROOT BUNDLE ID LIBEXEC=$libexec HIDDEN=$hidden
  export INIT=${top_builddir:-$TOP/build}/tare-init
  unshare --mount --pid --fork --kill-child --mount-proc \
    sh -c 'mount -t tmpfs tmpfs "$HIDDEN" && exec bash "$0"' "$script" 3>&-
}

@test "create, start, kill and delete --force of one id at the same time, some killed, leave nothing" {
  make_bundle sleep 100
  local worker
  worker() {
    local end=$((SECONDS + 8)) verb
    while [ $SECONDS -lt $end ]; do
      case $((RANDOM % 7)) in
        0 | 1 | 2) verb="create --bundle $BUNDLE" ;;
        3) verb="start" ;;
        4) verb="kill" ;;
        *) verb="delete --force" ;;
      esac
      # some are killed, at any moment
      local limit=20
      [ $((RANDOM % 4)) -ne 0 ] || limit="-s KILL 0.0$((RANDOM % 9 + 1))"
      # shellcheck disable=SC2086
      timeout $limit "$RUNTIME" --root "$ROOT" $verb "$ID" </dev/null >/dev/null 2>&1 3>&- ||
        [ $? -ne 124 ] || touch "$WORK/hangs"
    done
  }
  for worker in 1 2 3 4; do
    worker &
  done
  wait
  [ ! -e "$WORK/hangs" ]
  rt delete --force "$ID"
  assert_nothing_left
}

@test "an annotation without a name is refused" {
  make_bundle true
  config '.annotations = {"": "x"}'
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "annotations: a key is empty"
}
