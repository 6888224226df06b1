#!/usr/bin/env bats
# pause and resume: the whole group stands still, and goes on.
# views: v1 v2

load helpers

begin() {
  make_bundle "${@:-sleep 1000}"
  rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
}

# The container counts in its output.
count() {
  wc -l <"$BUNDLE/out"
}

more_than() {
  [ "$(count)" -gt "$1" ]
}

counting() {
  begin sh -c 'sh -c "while :; do echo; sleep 0.01; done" & while :; do echo; sleep 0.01; done'
  wait_until 5 more_than 4
}

@test "paused: nothing moves; resumed: it goes on" {
  counting
  rt pause "$ID"
  [ "$(status_of "$ID")" = paused ]
  [ "$(rt list --format json | jq -r '.[0].status')" = paused ]
  local before
  before=$(count)
  sleep 0.2
  [ "$(count)" -eq "$before" ]
  rt resume "$ID"
  [ "$(status_of "$ID")" = running ]
  wait_until 5 more_than $((before + 4))
}

@test "a created container can be paused; then start waits for nobody" {
  make_bundle echo hello
  rt create --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
  rt pause "$ID"
  [ "$(status_of "$ID")" = paused ]
  only_tare
  run_rt start "$ID"
  assert_error 1 "cannot start a paused container"
  rt resume "$ID"
  [ "$(status_of "$ID")" = created ]
  rt start "$ID"
  wait_until 5 has_status "$ID" stopped
  [ "$(cat "$BUNDLE/out")" = hello ]
}

@test "what cannot be paused or resumed" {
  begin sleep 1000
  run_rt resume "$ID"
  assert_error 1 "not paused"
  rt pause "$ID"
  run_rt pause "$ID"
  [ "$status" -eq 1 ]
  rt resume "$ID"
  rt kill "$ID" KILL
  wait_until 5 has_status "$ID" stopped
  run_rt pause "$ID"
  assert_error 1 "not running"
  run_rt resume "$ID"
  assert_error 1 "not paused"
  run_rt pause "$ID-x"
  assert_error 1 "does not exist"
  run_rt resume "$ID-x"
  assert_error 1 "does not exist"
}

@test "a paused container can be killed" {
  begin sleep 1000
  rt pause "$ID"
  rt kill "$ID" KILL
  wait_until 5 has_status "$ID" stopped
  rt delete "$ID"
  assert_nothing_left
}

@test "a paused container of many processes, without a pid namespace, can be killed" {
  make_bundle sh -c 'sleep 1000 & sleep 1000 & exec sleep 1000'
  config 'del(.linux.namespaces[] | select(.type == "pid"))'
  rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
  rt pause "$ID"
  rt kill "$ID" KILL
  wait_until 5 has_status "$ID" stopped
  rt delete "$ID"
  assert_nothing_left
}

@test "another signal waits for resume" {
  begin sh -c 'trap "echo got it; exit 3" TERM; echo ready; while :; do sleep 0.05; done'
  wait_until 5 grep -q ready "$BUNDLE/out"
  rt pause "$ID"
  rt kill "$ID" TERM
  sleep 0.2
  [ "$(status_of "$ID")" = paused ]
  rt resume "$ID"
  wait_until 5 has_status "$ID" stopped
  grep -q "got it" "$BUNDLE/out"
}

@test "delete of a paused container: only by force" {
  begin sleep 1000
  rt pause "$ID"
  run_rt delete "$ID"
  [ "$status" -eq 1 ]
  [ "$(status_of "$ID")" = paused ]
  rt delete --force "$ID"
  assert_nothing_left
}

@test "--cgroup-manager disabled: nothing to freeze" {
  only_tare
  make_bundle sleep 1000
  config 'del(.linux.resources)'
  rt --cgroup-manager disabled run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
  run_rt pause "$ID"
  assert_error 1 "cgroup"
  run_rt exec "$ID" echo hello </dev/null
  assert_output hello
}
