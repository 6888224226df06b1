#!/usr/bin/env bats
# events: what a container uses, as managers read it; its memory limit; its end.
# views: v1 v2
# guest: yes

load helpers
load groups

setup_file() {
  file_begin
  keep_controllers
}
teardown_file() {
  release_controllers
  file_end
}
teardown() {
  [ -z "${FOLLOWER:-}" ] || kill "$FOLLOWER" 2>/dev/null || true
  test_end
}

begin() {
  make_bundle sh -c 'while [ ! -e /go ]; do sleep 0.05; done; echo 0 >/proc/self/oom_score_adj; tail -c 200m /dev/zero; sleep 1000'
  [ $# -eq 0 ] || config "$@"
  rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
}

# follow OPTION...: events into $BUNDLE/events, in the background.
follow() {
  "$RUNTIME" --root "$ROOT" events "$@" "$ID" >"$BUNDLE/events" 2>"$BUNDLE/errors" 3>&- &
  FOLLOWER=$!
}

has_line() {
  grep -q "\"type\":\"$1\"" "$BUNDLE/events"
}

watches() {
  [ -n "$(find "/proc/$FOLLOWER/fd" -lname '*eventpoll*' 2>/dev/null)" ]
}

ended() {
  ! kill -0 "$FOLLOWER" 2>/dev/null
}

# shellcheck disable=SC2016
@test "--stats: what the kernel says, in the members that containerd reads" {
  begin '.linux.resources += if $limits then {memory: {limit: 104857600}, pids: {limit: 9}} else {} end' \
    --argjson limits "$(has_controller memory pids && echo true || echo false)"
  run_rt events --stats "$ID"
  assert_success
  [ "${#lines[@]}" -eq 1 ]
  jq -e --arg id "$ID" '.type == "stats" and .id == $id and (.data
    | (.cpu | type) == "object" and (.memory | type) == "object" and (.pids | type) == "object"
    and (.blkio | type) == "object" and (.hugetlb | type) == "object" and has ("intel_rdt"))' <<<"$output" >/dev/null
  if has_controller cpu; then
    jq -e '.data.cpu.usage.total > 0 and (.data.cpu.throttling | type) == "object"' <<<"$output" >/dev/null
  fi
  if has_controller memory pids; then
    jq -e '.data | .memory.usage.limit == 104857600 and .memory.usage.usage > 4096 and .memory.usage.failcnt >= 0
           and (.memory.raw | length) > 10 and .pids == {current: 1, limit: 9}
                 or .pids == {current: 2, limit: 9}' <<<"$output" >/dev/null || fail_with "memory and pids"
  fi
  if has_controller cpuset && ! is_v2; then
    jq -e '(.data.cpuset.cpus | length) > 0 and .data.cpuset.mems[0] == 0' <<<"$output" >/dev/null
  fi
  if has_controller hugetlb && [ -d /sys/kernel/mm/hugepages/hugepages-2048kB ]; then
    jq -e '.data.hugetlb["2MB"] | .usage == 0 and .failcnt == 0' <<<"$output" >/dev/null
  fi
  if is_v2 && [ -e /proc/pressure/memory ] && has_controller memory; then
    jq -e '.data.memory.psi.some | .avg10 >= 0 and .total >= 0' <<<"$output" >/dev/null
  fi
}

@test "it goes on until the container ends, or until nobody reads" {
  begin
  only_tare # runc waits for ever
  follow --interval 50ms
  wait_until 30 has_line stats
  run bash -c '"$1" --root "$2" events --interval=50ms "$3" | head -n 1' - "$RUNTIME" "$ROOT" "$ID" 3>&-
  assert_success
  rt kill "$ID" KILL
  wait_until 30 ended
  wait "$FOLLOWER"
  [ ! -s "$BUNDLE/errors" ] || fail_with "$(cat "$BUNDLE/errors")"
  jq -es 'all (.type == "stats")' "$BUNDLE/events" >/dev/null
}

@test "the memory limit is reached" {
  needs_controller memory
  begin '.linux.resources.memory = {limit: 16777216, swap: 16777216}'
  follow --interval 1h
  wait_until 30 watches
  touch "$BUNDLE/rootfs/go"
  wait_until 60 has_line oom
  jq -es --arg id "$ID" 'all (. == {type: "oom", id: $id})' "$BUNDLE/events" >/dev/null
}

@test "bad input, and containers that do not run" {
  begin
  local interval
  only_tare
  for interval in 0 0s x 5x -5s 1e3 99999h; do
    run_rt events --interval "$interval" "$ID"
    assert_error 1 "option '--interval': '$interval' is not a time"
  done
  run_rt events "$ID-x"
  assert_error 1 "does not exist"
  rt kill "$ID" KILL
  wait_until 30 has_status "$ID" stopped
  run_rt events --stats "$ID"
  assert_error 1 "not running"
  run_rt events "$ID"
  assert_error 1 "not running"
  rt delete "$ID"
  config 'del(.linux.resources)'
  rt --cgroup-manager disabled run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
  run_rt events --stats "$ID"
  assert_error 1 "no cgroup of its own"
}
