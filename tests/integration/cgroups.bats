#!/usr/bin/env bats
# views: v1 v2
# A container's control groups: how it comes into them, and that none is left
# (config-linux.md "Control groups", runtime.md "Delete").

load helpers
load inside
load groups

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

@test "who is made enters the groups by itself, before anything of the container: nobody waits for RCU" {
  only_tare
  local wanted
  wanted=$(v1_hierarchies | wc -l)
  make_bundle cat /proc/self/cgroup
  trace_of run --bundle "$BUNDLE" "$ID"
  [ "$(moved tasks)" -eq "$wanted" ]
  [ "$(moved cgroup.procs)" -eq 0 ]
  # once tare-init runs, only memory is left: what init needs for itself is not the container's
  local memory=0
  [ ! -e /sys/fs/cgroup/memory/tasks ] || memory=1
  [ "$(sed '/tare-init.*execveat(\|execveat([0-9]*<[^>]*tare-init/,$d' "$WORK/trace" |
    grep -c '/tasks>, "0"')" -eq $((wanted - memory)) ]
  [ "$(grep -c '/memory/.*/tasks>, "0"' "$WORK/trace")" -eq $memory ]
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

# ---- a group that is there already ----------------------------------------------------------------

# A group $WORK/name in every hierarchy: made_by_hand NAME. new_process NAME: a process in all of it.
made_by_hand() {
  local hierarchy
  for hierarchy in $(hierarchies | sed 's,/cgroup.controllers$,,'); do
    mkdir -p "$hierarchy/$1"
    [ ! -e "$hierarchy/$1/cpuset.cpus" ] || [ -e "$hierarchy/$1/cgroup.type" ] || {
      cat "$hierarchy/cpuset.cpus" >"$hierarchy/$1/cpuset.cpus"
      cat "$hierarchy/cpuset.mems" >"$hierarchy/$1/cpuset.mems"
    }
  done
}

new_process() {
  local group
  sleep 1000 3>&- &
  process=$!
  for group in $(cgroups_of "$1"); do
    [ "${group##*/}" != "$1" ] || echo "$process" >"$group/cgroup.procs"
  done
}

no_process() {
  kill -KILL "$process"
  wait "$process" || true
}

unmake() {
  local group
  for group in $(cgroups_of "$1"); do
    rmdir "$group"
  done
}

@test "a group with processes in it is nobody's to take: they go on, without new limits" {
  only_tare
  made_by_hand "$TAG-full"
  new_process "$TAG-full"
  make_bundle true
  config '.linux.cgroupsPath = $path' --arg path "/$TAG-full"
  ! has_controller pids || config '.linux.resources.pids.limit = 7'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "container's cgroup is not empty: 1 process(es) found"
  kill -0 "$process"
  assert_nothing_left
  [ -z "$(group_of "$process" pids)" ] || [ "$(cat "$(group_of "$process" pids)/pids.max")" != 7 ]
  no_process
  rt run --bundle "$BUNDLE" "$ID"
  unmake "$TAG-full"
}

# freeze 1|0 NAME
freeze() {
  if [ -e "/sys/fs/cgroup/freezer/$2" ]; then
    [ "$1" = 1 ] && echo FROZEN >"/sys/fs/cgroup/freezer/$2/freezer.state" ||
      echo THAWED >"/sys/fs/cgroup/freezer/$2/freezer.state"
  else
    echo "$1" >"/sys/fs/cgroup/$2/cgroup.freeze"
  fi
}

@test "a frozen group, or one below a frozen one, is refused: nothing would ever run in it" {
  only_tare
  made_by_hand "$TAG-cold"
  freeze 1 "$TAG-cold"
  make_bundle true
  config '.linux.cgroupsPath = $path' --arg path "/$TAG-cold"
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "cgroup unexpectedly frozen"
  config '.linux.cgroupsPath = $path' --arg path "/$TAG-cold/below"
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "cgroup unexpectedly frozen: by a group above it"
  [ -z "$(cgroups_of below)" ]
  freeze 0 "$TAG-cold"
  rt run --bundle "$BUNDLE" "$ID"
  assert_nothing_left
  # a parent that was made stays, and so does what was there
  [ -n "$(cgroups_of "$TAG-cold")" ]
  unmake "$TAG-cold"
}

# cgroups(7), "no internal processes": a v2 group with processes cannot give controllers to those
# below it. A container there works; a limit that would need one says so.
@test "no internal processes: below a v2 group that has some, limits are refused and the rest works" {
  is_v2 || skip "a rule of v2 alone: the view of it runs this"
  local name resources
  read -r name _ </sys/fs/cgroup/cgroup.controllers || true
  for name in pids memory cpu hugetlb; do
    ! grep -qw "$name" /sys/fs/cgroup/cgroup.controllers || break
  done
  case $name in
    pids) resources='{pids: {limit: 7}}' ;;
    memory) resources='{memory: {limit: 67108864}}' ;;
    cpu) resources='{cpu: {quota: 50000}}' ;;
    hugetlb) resources='{hugepageLimits: [{pageSize: "2MB", limit: 2097152}]}' ;;
  esac
  grep -qw "$name" /sys/fs/cgroup/cgroup.subtree_control || echo "+$name" >/sys/fs/cgroup/cgroup.subtree_control
  made_by_hand "$TAG-house"
  new_process "$TAG-house"
  make_bundle cat /proc/self/cgroup
  config '.linux.cgroupsPath = $path | .linux.namespaces |= map (select (.type != "cgroup"))' --arg path "/$TAG-house/room"
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  [[ $output == *"0::/$TAG-house/room"* ]]
  config ".linux.resources = $resources"
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "linux.resources"
  assert_nothing_left
  # without the process it is given
  no_process
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  unmake "$TAG-house"
}

# ---- the end -------------------------------------------------------------------------------------

@test "what is in the container's groups ends with it, whoever put it there" {
  make_bundle sleep 1000
  create
  rt start "$ID"
  new_process "$ID"
  # the end of the container itself is not the end of its group
  rt kill "$ID" KILL
  wait_until 20 has_status "$ID" stopped
  kill -0 "$process"
  rt delete "$ID"
  assert_nothing_left
  local result=0
  wait "$process" || result=$?
  [ $result -eq 137 ]
}

# T76: the time is delete's own bound, not a measurement.
@test "delete --force: frozen, stopped, traced, and all of it at once" {
  make_bundle sleep 1000
  local how pid tracer
  for how in frozen stopped traced all; do
    create
    rt start "$ID"
    pid=$(pid_of "$ID")
    tracer=
    if [[ $how == traced || $how == all ]]; then
      strace -qq -o /dev/null -p "$pid" 3>&- &
      tracer=$!
      is_traced() { [ "$(status_field TracerPid <"/proc/$pid/status")" != 0 ]; }
      wait_until 20 is_traced
    fi
    [[ $how != stopped && $how != all ]] || rt kill "$ID" STOP
    [[ $how != frozen && $how != all ]] || rt pause "$ID"
    timeout 60 "$RUNTIME" --root "$ROOT" delete --force "$ID" 3>&-
    assert_nothing_left
    [ -z "$tracer" ] || wait "$tracer" || true
  done
}

@test "many containers, many at a time: no group of them is left" {
  make_bundle true
  local count=60
  [ "${TARE_GUEST:-0}" = 0 ] || count=8
  export -f rt
  export RUNTIME BUNDLE
  # shellcheck disable=SC2016
  seq $count | xargs -P 6 -I{} bash -c 'rt run --bundle "$BUNDLE" "$0-{}" </dev/null 3>&-' "$ID"
  [ -z "$(cgroups_of "$ID")" ]
  [ -z "$(ls -A --ignore=.seccomp "$ROOT")" ]
}

# ---- what is given away --------------------------------------------------------------------------

writable_cgroups() {
  config '(.mounts[] | select (.destination == "/sys/fs/cgroup") | .options) -= ["ro"]'
}

@test "run.oci.delegate-cgroup: init is in a group below, which is its own to fill; exec follows, delete takes all" {
  make_bundle sh -c 'cat /proc/self/cgroup; mkdir /sys/fs/cgroup/payload/mine && echo $$ >/sys/fs/cgroup/payload/mine/cgroup.procs; sleep 1000'
  config '.annotations["run.oci.delegate-cgroup"] = "payload"'
  writable_cgroups
  if ! is_v2; then
    only_tare
    run_rt run --bundle "$BUNDLE" "$ID"
    assert_error 1 'annotations["run.oci.delegate-cgroup"]: needs cgroup v2'
    assert_nothing_left
    return
  fi
  create
  [[ "$(cat "/proc/$(pid_of "$ID")/cgroup")" == *"0::/$ID/payload"* ]]
  rt start "$ID"
  wait_until 20 test -e "/sys/fs/cgroup/$ID/payload/mine"
  in_mine() { grep -qx "$(pid_of "$ID")" "/sys/fs/cgroup/$ID/payload/mine/cgroup.procs"; }
  wait_until 20 in_mine
  # the namespace was there first: its root is the container's group, which keeps the limits
  grep -qx "0::/payload" "$BUNDLE/out"
  [[ "$(rt exec "$ID" cat /proc/self/cgroup)" == *"0::/payload/mine"* ]]
  [ "$(rt ps --format json "$ID" | jq length)" -eq 1 ]
  rt pause "$ID"
  has_status "$ID" paused
  rt resume "$ID"
  rt delete --force "$ID"
  assert_nothing_left
  local bad
  for bad in .. a/../b / . ; do
    config '.annotations["run.oci.delegate-cgroup"] = $bad' --arg bad "$bad"
    run_rt run --bundle "$BUNDLE" "$ID"
    is_tare && assert_error 1 "is not the name of a cgroup below the container's"
  done
  assert_nothing_left
}

# It is there before paths are hidden, which may be in it.
@test "run.oci.delegate-cgroup: what is masked in it is masked" {
  is_v2 || skip "needs cgroup v2: the view of it runs this"
  only_tare
  make_bundle sh -c 'ls /sys/fs/cgroup/payload'
  config '.annotations["run.oci.delegate-cgroup"] = "payload" | .linux.maskedPaths += ["/sys/fs/cgroup/payload"]'
  local i
  for i in {1..12}; do
    run_rt run --bundle "$BUNDLE" "$ID-$i"
    assert_success
    assert_output ""
  done
}
