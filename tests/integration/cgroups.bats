#!/usr/bin/env bats
# views: v1 v2
# A container's control groups: how it comes into them, what they hold it to, and that none is left
# (config-linux.md "Control groups", runtime.md "Delete").

load helpers
load inside
load groups

setup_file() {
  file_begin
}
teardown_file() {
  file_end
}
setup() {
  test_begin
}
teardown() {
  test_end
}

# ---- entering ------------------------------------------------------------------------------------

# The hierarchies of v1 that are mounted.
v1_hierarchies() {
  local directory
  for directory in /sys/fs/cgroup/*; do
    [ ! -e "$directory/tasks" ] || [ -L "$directory" ] || echo "$directory"
  done
}

hierarchies() {
  v1_hierarchies
  ls -d /sys/fs/cgroup/cgroup.controllers /sys/fs/cgroup/unified/cgroup.controllers 2>/dev/null || true
}

# moved FILE: how often a process was put into a group by FILE, as $WORK/trace tells.
moved() {
  grep -c "write([0-9]*</sys/fs/cgroup/[^>]*/$1>" "$WORK/trace" || true
}

# The groups of the container, in whatever hierarchies it has: each has the process.
in_every_group() {
  local group count=0
  for group in $(cgroups_of "$ID"); do
    grep -qx "$1" "$group/cgroup.procs" || { echo "process $1 is not in $group" >&2; return 1; }
    count=$((count + 1))
  done
  [ "$count" -eq "$(hierarchies | wc -l)" ]
}

# trace_of COMMAND...: to $WORK/trace, with the files' names.
trace_of() {
  traced -f -y -e trace=write,execveat -o "$WORK/trace" "$RUNTIME" --root "$ROOT" "$@" \
    </dev/null >"$WORK/output" 2>&1 3>&-
}

@test "who is made enters the groups by itself, before tare-init is executed: nobody waits for RCU" {
  only_tare
  local wanted
  wanted=$(v1_hierarchies | wc -l)
  make_bundle cat /proc/self/cgroup
  trace_of run --bundle "$BUNDLE" "$ID"
  [ "$(moved tasks)" -eq "$wanted" ]
  [ "$(moved cgroup.procs)" -eq 0 ]
  # nothing is written there once tare-init runs
  [ "$(sed '/tare-init.*execveat(\|execveat([0-9]*<[^>]*tare-init/,$d' "$WORK/trace" |
    grep -c '/tasks>, "0"')" -eq "$wanted" ]
  config '.process.args = ["sleep", "1000"]'
  create
  in_every_group "$(pid_of "$ID")"
  rt start "$ID"
  trace_of exec "$ID" true
  [ "$(moved tasks)" -eq "$wanted" ]
  [ "$(moved cgroup.procs)" -eq 0 ]
  rt exec "$ID" cat /proc/self/cgroup >"$WORK/inside"
  [ "$(sort "$WORK/inside")" = "$(rt exec "$ID" cat /proc/1/cgroup | sort)" ]
}

@test "an exec with an affinity is put into the groups by the host side, between the two" {
  only_tare
  make_bundle sleep 1000
  create
  rt start "$ID"
  jq '.process | .args = ["cat", "/proc/self/cgroup"]
      | .execCPUAffinity = { initial: "0", final: "0" }' "$BUNDLE/config.json" >"$WORK/process.json"
  trace_of exec --process "$WORK/process.json" "$ID"
  [ "$(moved tasks)" -eq 0 ]
  [ "$(moved cgroup.procs)" -eq "$(hierarchies | wc -l)" ]
  [ "$(sort "$WORK/output")" = "$(rt exec "$ID" cat /proc/1/cgroup | sort)" ]
}
