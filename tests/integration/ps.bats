#!/usr/bin/env bats
# ps: the processes of a container and no others, as JSON and as the lines of ps(1).
# views: v1 v2

load helpers

begin() {
  make_bundle sh -c 'sleep 1001 & sleep 1002 & exec sleep 1003'
  rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
  wait_until 30 three
}

three() {
  [ "$(rt ps --format json "$ID" | jq length)" -eq 3 ] &&
    [ "$(rt ps "$ID" | grep -c 'sleep 100[123]$')" -eq 3 ]
}

@test "three processes: as JSON, as a table, by options of ps" {
  begin
  local pid
  pid=$(pid_of "$ID")
  rt ps -f json "$ID" | jq -e --argjson pid "$pid" 'index ($pid) != null and all (type == "number")' >/dev/null
  run_rt ps "$ID"
  assert_success
  [[ ${lines[0]} == *PID*CMD* ]]
  [ "${#lines[@]}" -eq 4 ]
  run_rt ps "$ID" -o pid,args
  assert_success
  [ "${#lines[@]}" -eq 4 ]
  grep -Eq "^ *$pid sleep 1003\$" <<<"$output" || fail_with "no line of $pid"
}

@test "what ps cannot do" {
  begin
  run_rt ps "$ID" -o args
  assert_error 1 "couldn't find PID field in ps output"
  run_rt ps --format xml "$ID"
  assert_error 1 "format"
  only_tare
  run_rt ps "$ID" --no-such-option
  assert_error 1 "ps does not take these options"
  run --separate-stderr env PATH=/nonexistent "$RUNTIME" --root "$ROOT" ps "$ID" -ef 3>&-
  assert_error 1 "execute ps: No such file"
  # nothing is asked of it: the pids alone
  run --separate-stderr env PATH=/nonexistent "$RUNTIME" --root "$ROOT" ps "$ID" 3>&-
  assert_success
  [ "${lines[0]}" = PID ]
  [ "${#lines[@]}" -eq 4 ]
}

@test "a stopped container has none, an unknown one is an error" {
  begin
  rt kill "$ID" KILL
  wait_until 30 has_status "$ID" stopped
  only_tare
  run_rt ps --format json "$ID"
  assert_output "[]"
  run_rt ps "$ID"
  assert_success
  [ "${#lines[@]}" -eq 1 ]
  run_rt ps "$ID-x"
  assert_error 1 "does not exist"
}

@test "the next container in the group of one that has ended is not its own" {
  only_tare
  run_two_in_one_group
  [ "$(rt ps --format json "$ID-old" | jq -c .)" = "[]" ]
  [ "$(rt ps --format json "$ID" | jq -c .)" = "[$(pid_of "$ID")]" ]
  rt delete "$ID-old"
}
