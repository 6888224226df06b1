#!/usr/bin/env bats
# views: v1 v2
# guest: yes
# What a container's control groups hold it to: processes, memory; and what is said when they do
# (config-linux.md "Control groups").

load helpers
load inside
load groups

setup_file() {
  file_begin
  keep_controllers
}
teardown_file() {
  release_controllers
  file_end
}

@test "a fork bomb is held by pids.limit, and what it holds ends with the container" {
  needs_controller pids
  make_bundle sh -c '(while :; do sleep 1000 & done) 2>/dev/null; exec sleep 1000'
  config '.linux.resources.pids.limit = 20'
  create
  rt start "$ID"
  local group
  group=$(group_of "$(pid_of "$ID")" pids)
  refused() { [ "$(awk '$1 == "max" { print $2 }' "$group/pids.events")" -gt 0 ]; }
  wait_until 20 refused
  [ "$(cat "$group/pids.max")" = 20 ]
  [ "$(cat "$group/pids.current")" -le 20 ]
  [ "$(rt ps --format json "$ID" | jq length)" -le 20 ]
  # one more is no more possible: an error of the container's own limit, in one line, and no orphan
  full() { [ "$(cat "$group/pids.current")" -ge 19 ]; }
  wait_until 20 full
  rt update --pids-limit 1 "$ID"
  run_rt exec "$ID" true
  [ "$status" -ne 0 ]
  is_tare && assert_error "$status" "Resource temporarily unavailable"
  [ "$(rt ps --format json "$ID" | jq length)" -le 20 ]
  rt delete --force "$ID"
  assert_nothing_left
}

# What made init, outside the namespace that it joined, is gone before a hook of the container runs.
@test "pids.limit 2: a joined pid namespace, and a hook beside init" {
  needs_controller pids
  make_bundle sleep 1000
  create
  local first=$ID path
  path=/proc/$(pid_of "$ID")/ns/pid
  ID=$ID-second
  config '.linux.resources.pids.limit = 2 | .process.args = ["echo", "ran"]
          | .hooks = {createContainer: [{path: "/bin/true"}]}
          | .linux.namespaces |= map (if .type == "pid" then .path = $path else . end)' --arg path "$path"
  run_rt run --bundle "$BUNDLE" "$ID"
  [ "$output" = ran ]
  rt delete --force "$first"
  assert_nothing_left "$first"
}

@test "a memory hog is killed, the status is that of the signal, and one line says why" {
  needs_controller memory
  make_bundle sh -c 'echo 0 >/proc/self/oom_score_adj; exec dd if=/dev/zero of=/dev/null bs=100M count=1'
  config '.linux.resources.memory = {limit: 20971520, swap: 20971520}'
  [ -e "$(group_of self memory)/memory.memsw.limit_in_bytes" ] || is_v2 || config 'del (.linux.resources.memory.swap)'
  run_rt run --bundle "$BUNDLE" "$ID"
  [ "$status" -eq 137 ]
  if is_tare; then
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == *"container \`$ID\` was killed: its memory limit was reached"* ]]
  fi
  assert_nothing_left
}

@test "a limit too low to begin with: one line that names it, and nothing left" {
  needs_controller memory
  make_bundle true
  local limit
  for limit in 1 4096 16384; do
    config '.linux.resources.memory.limit = $limit' --argjson limit $limit
    run_rt run --bundle "$BUNDLE" "$ID"
    [ "$status" -ne 0 ]
    if is_tare; then
      [ "${#stderr_lines[@]}" -eq 1 ]
      [[ $stderr == *memory* ]]
    fi
    assert_nothing_left
  done
}
