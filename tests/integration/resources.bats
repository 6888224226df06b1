#!/usr/bin/env bats
# views: v1 v2
# guest: yes
# linux.resources (config-linux.md "Control groups"), property by property: set by the config, read back from
# outside and from inside, changed by update; and what a layout cannot express is said, never passed
# over.

# shellcheck disable=SC2154,SC2016
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
setup() {
  test_begin
  make_bundle sleep 1000
}

# holds CONTROLLER FILE VALUE: outside, and as the container itself reads it.
holds() {
  local group inside=/sys/fs/cgroup/$2
  is_v2 || inside=/sys/fs/cgroup/$1/$2
  group=$(group_of "$(pid_of "$ID")" "$1")
  # a keyed file has other lines, too
  grep -qxF -- "$3" "$group/$2" || { echo "$group/$2: $(cat "$group/$2"), not $3" >&2; return 1; }
  rt exec "$ID" cat "$inside" | grep -qxF -- "$3"
}

# property CONTROLLER RESOURCES1 RESOURCES2 -- V1FILE VALUE1 VALUE2 -- V2FILE VALUE1 VALUE2: the first
# by the config, the second by update. A file "-": there is none in that layout, so a warning or an
# error names the property (the word after the file). A file that the kernel lacks ends the row.
property() {
  local controller=$1 first=$2 second=$3 file one two
  shift 4
  ! is_v2 || shift 4
  file=$1 one=$2 two=${3:-}
  config ".linux.resources = $first"
  if [ "$file" = - ]; then
    config '.process.args = ["true"]'
    run_rt run --bundle "$BUNDLE" "$ID"
    config '.process.args = ["sleep", "1000"]'
    [[ $stderr == *"linux.resources.$one"* ]] || { echo "$first: $status, '$stderr'" >&2; return 1; }
    rt delete --force "$ID"
    return
  fi
  create || { cat "$BUNDLE/err" >&2; return 1; }
  rt start "$ID"
  holds "$controller" "$file" "$one"
  if [ -n "$two" ]; then
    jq -n "$second" | rt update --resources - "$ID"
    holds "$controller" "$file" "$two"
  fi
  rt delete --force "$ID"
}

# lacks CONTROLLER FILE...: this kernel's groups have none of these.
lacks() {
  local group file
  local result=0
  create
  group=$(group_of "$(pid_of "$ID")" "$1")
  shift
  for file; do
    [ ! -e "$group/$file" ] || result=1
  done
  rt delete --force "$ID"
  return $result
}

@test "pids: limit, none, and back" {
  needs_controller pids
  property pids '{pids: {limit: 33}}' '{pids: {limit: 44}}' -- pids.max 33 44 -- pids.max 33 44
  property pids '{pids: {limit: 33}}' '{pids: {limit: -1}}' -- pids.max 33 max -- pids.max 33 max
}

@test "memory: limit, reservation, swap, swappiness, the OOM killer" {
  needs_controller memory
  property memory '{memory: {limit: 67108864}}' '{memory: {limit: 33554432}}' -- \
    memory.limit_in_bytes 67108864 33554432 -- memory.max 67108864 33554432
  property memory '{memory: {reservation: 33554432}}' '{memory: {reservation: 16777216}}' -- \
    memory.soft_limit_in_bytes 33554432 16777216 -- memory.low 33554432 16777216
  property memory '{memory: {swappiness: 30}}' '{memory: {swappiness: 70}}' -- \
    memory.swappiness 30 70 -- - memory.swappiness
  property memory '{memory: {limit: 67108864, disableOOMKiller: true}}' '{memory: {disableOOMKiller: false}}' -- \
    memory.oom_control 'oom_kill_disable 1' '' -- - memory.disableOOMKiller
  # swap is memory and swap together; where the kernel has none to limit, that is said
  if [ -e "$(group_of self memory)/memory.memsw.limit_in_bytes" ] || { is_v2 && has_controller memory; }; then
    property memory '{memory: {limit: 67108864, swap: 100663296}}' '{memory: {limit: 67108864, swap: 134217728}}' -- \
      memory.memsw.limit_in_bytes 100663296 134217728 -- memory.swap.max 33554432 67108864
  fi
}

@test "cpu: shares, quota, period, burst, idle; realtime" {
  needs_controller cpu
  property cpu '{cpu: {shares: 2048}}' '{cpu: {shares: 512}}' -- cpu.shares 2048 512 -- cpu.weight 174 59
  property cpu '{cpu: {quota: 50000, period: 200000}}' '{cpu: {quota: 60000}}' -- \
    cpu.cfs_quota_us 50000 60000 -- cpu.max '50000 200000' '60000 200000'
  property cpu '{cpu: {quota: 50000, period: 100000, burst: 10000}}' '{cpu: {burst: 20000}}' -- \
    cpu.cfs_burst_us 10000 20000 -- cpu.max.burst 10000 20000
  property cpu '{cpu: {idle: 1}}' '{cpu: {idle: 0}}' -- cpu.idle 1 0 -- cpu.idle 1 0
  ! is_v2 || property cpu '{cpu: {realtimeRuntime: 1000}}' '{}' -- - - '' -- - cpu.realtimeRuntime
}

@test "cpuset: processors and memory nodes" {
  needs_controller cpuset
  property cpuset '{cpu: {cpus: "0", mems: "0"}}' '{cpu: {cpus: "0-1"}}' -- cpuset.cpus 0 0-1 -- cpuset.cpus 0 0-1
  property cpuset '{cpu: {cpus: "0", mems: "0"}}' '{}' -- cpuset.mems 0 '' -- cpuset.mems 0
}

@test "block I/O: rates of a device, weight" {
  local device major minor resources
  device=$(cat /sys/block/*/dev | head -n 1)
  [ -n "$device" ] || skip "no block device in /sys/block"
  major=${device%:*} minor=${device#*:}
  resources="{blockIO: {throttleReadBpsDevice: [{major: $major, minor: $minor, rate: 1048576}]}}"
  local controller=blkio
  ! is_v2 || controller=io
  needs_controller $controller
  property $controller "$resources" "${resources/1048576/2097152}" -- \
    blkio.throttle.read_bps_device "$device 1048576" "$device 2097152" -- \
    io.max "$device rbps=1048576 wbps=max riops=max wiops=max" "$device rbps=2097152 wbps=max riops=max wiops=max"
  if lacks $controller blkio.weight blkio.bfq.weight io.weight io.bfq.weight; then
    config '.process.args = ["true"] | .linux.resources = {blockIO: {weight: 500}}'
    run_rt run --bundle "$BUNDLE" "$ID"
    [[ $stderr == *weight* ]] || fail_with "in silence"
  fi
}

@test "huge pages, of each size that there is" {
  local file
  file=$(find /sys/kernel/mm/hugepages -name 'hugepages-2048kB' 2>/dev/null)
  [ -n "$file" ] || skip "this kernel has no huge pages of 2 MB"
  needs_controller hugetlb
  property hugetlb '{hugepageLimits: [{pageSize: "2MB", limit: 4194304}]}' '{hugepageLimits: [{pageSize: "2MB", limit: 6291456}]}' -- \
    hugetlb.2MB.limit_in_bytes 4194304 6291456 -- hugetlb.2MB.max 4194304 6291456
  config '.linux.resources = {hugepageLimits: [{pageSize: "3MB", limit: 4194304}]}'
  run_rt run --bundle "$BUNDLE" "$ID"
  [ "$status" -ne 0 ]
  [[ $stderr == *3MB* ]]
}

@test "unified: files by their names, last; what is no file of a controller is refused" {
  if ! is_v2; then
    config '.linux.resources = {unified: {"pids.max": "44"}}'
    run_rt run --bundle "$BUNDLE" "$ID"
    [ "$status" -ne 0 ]
    [[ $stderr == *unified* ]]
    assert_nothing_left
    return
  fi
  ! has_controller pids || property pids '{unified: {"pids.max": "44"}, pids: {limit: 10}}' '{unified: {"pids.max": "55"}}' -- - - '' -- pids.max 44 55
  ! has_controller memory || property memory '{unified: {"memory.high": "50331648"}}' '{unified: {"memory.high": "max"}}' -- - - '' -- memory.high 50331648 max
  local key
  for key in ../pids.max /etc/passwd cgroup.procs nosuch.max; do
    config '.linux.resources = {unified: {($key): "1"}}' --arg key "$key"
    run_rt run --bundle "$BUNDLE" "$ID"
    [ "$status" -ne 0 ] || { echo "$key" >&2; return 1; }
    [[ $stderr == *unified* ]]
  done
  assert_nothing_left
}

@test "what no controller here can do is an error that names the property, and nothing is made" {
  only_tare
  local row
  for row in 'network.classID {network: {classID: 1048577}}' \
    'network.priorities {network: {priorities: [{name: "lo", priority: 5}]}}' \
    'rdma {rdma: {mlx5_9: {hcaHandles: 3}}}'; do
    config ".process.args = [\"true\"] | .linux.resources = ${row#* }"
    run_rt run --bundle "$BUNDLE" "$ID"
    if [ "$status" -eq 0 ]; then
      [[ $stderr == *"linux.resources.${row%% *}"* ]] || fail_with "$row: in silence"
    else
      [[ $stderr == *"linux.resources.${row%% *}"* || $stderr == *"${row%%.*}"* ]] || fail_with "$row"
    fi
    [ ! -e "$ROOT/$ID" ] || rt delete --force "$ID"
    assert_nothing_left
  done
}
