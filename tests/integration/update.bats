#!/usr/bin/env bats
# update: each limit as the kernel has it afterwards; all of an update or nothing; what is not named
# stays.
# views: v1
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

begin() {
  needs_controller memory cpu pids
  make_bundle sleep 1000
  [ $# -eq 0 ] || config "$@"
  rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
}

# after WANTED OPTION...: the limits after an update.
after() {
  local wanted=$1
  shift
  run_rt update "$@" "$ID"
  assert_success
  [ "$(limits)" = "$wanted" ] || fail_with "after $*: $(limits)"
}

# fails WORDS OPTION...: an update that changes nothing.
fails() {
  local words=$1 before
  shift
  before=$(limits)
  run_rt update "$@" "$ID"
  assert_error 1 "$words"
  [ "$(limits)" = "$before" ] || fail_with "after $*: $(limits)"
}

@test "memory and swap, up and down; processes; CPU time" {
  begin
  after $'memory 104857600\nswap 104857600\npids max\ncpu max 100000' --memory 100m --memory-swap 200m
  after $'memory 209715200\nswap 209715200\npids max\ncpu max 100000' --memory 200m --memory-swap 400m
  after $'memory 52428800\nswap 0\npids max\ncpu max 100000' --memory 50m --memory-swap 50m
  after $'memory 52428800\nswap 52428800\npids 7\ncpu max 100000' --memory-swap 104857600 --pids-limit 7
  after $'memory 52428800\nswap 52428800\npids 7\ncpu 25000 50000' --cpu-period 50000 --cpu-quota 25000
  after $'memory 52428800\nswap 52428800\npids 7\ncpu 25000 200000' --cpu-period 200000
  after $'memory 52428800\nswap 52428800\npids 7\ncpu 100000 200000' --cpu-quota=100000
  after $'memory max\nswap max\npids max\ncpu max 200000' --memory -1 --pids-limit -1 --cpu-quota -1
  # zeroes name nothing, as managers send them
  echo '{"memory":{"limit":0,"swap":0},"cpu":{"shares":0,"quota":0,"period":0},"blockIO":{"weight":0}}' >"$BUNDLE/zeroes"
  after $'memory max\nswap max\npids max\ncpu max 200000' --resources "$BUNDLE/zeroes"
  rt update --cpu-share 2048 --memory-reservation 1.5g "$ID"
  if is_v2; then
    [ "$(group_file cpu cpu.weight)" = 174 ] || fail_with "$(group_file cpu cpu.weight)"
    [ "$(group_file memory memory.low)" = 1610612736 ]
  else
    [ "$(group_file cpu cpu.shares)" = 2048 ]
    [ "$(group_file memory memory.soft_limit_in_bytes)" = 1610612736 ]
  fi
}

@test "what was named before is kept: in the config, then by an update" {
  begin '.linux.resources += {memory: {limit: 104857600, swap: 209715200}, cpu: {quota: 20000, period: 40000}, pids: {limit: 9}}'
  after $'memory 104857600\nswap 104857600\npids 9\ncpu 20000 80000' --cpu-period 80000
  after $'memory 104857600\nswap 157286400\npids 9\ncpu 20000 80000' --memory-swap 250m
  after $'memory 157286400\nswap 104857600\npids 9\ncpu 20000 80000' --memory 150m
  only_tare
  fails "less than memory.limit" --memory 300m
}

@test "resources as JSON, from a file and from standard input; while it is paused" {
  begin
  echo '{"pids":{"limit":11},"memory":{"limit":73400320}}' >"$BUNDLE/resources"
  after $'memory 73400320\nswap max\npids 11\ncpu max 100000' --resources "$BUNDLE/resources"
  rt pause "$ID"
  echo '{"pids":{"limit":12}}' | rt update -r - "$ID"
  [ "$(group_file pids pids.max)" = 12 ]
  rt resume "$ID"
}

@test "all or nothing: what was written is set back" {
  begin '.linux.resources += {memory: {limit: 104857600}, pids: {limit: 9}, cpu: {quota: 20000, period: 40000}}'
  local before
  before=$(limits)
  only_tare
  # the last of these is refused by the kernel
  fails "cpu" --memory 200m --pids-limit 8 --cpu-quota 30000 --cpu-period 60000 --cpu-burst 9000000
  fails "cpuset.cpus" --memory 200m --pids-limit 8 --cpuset-cpus 4000
  [ ! -e "$ROOT/$ID/resources.json" ]
  # and the next update does not know of it
  rt update --cpu-period 80000 "$ID"
  [ "$(limits)" = "${before/40000/80000}" ]
  jq -e '.pids.limit == 9 and .cpu.period == 80000 and .cpu.quota == 20000' "$ROOT/$ID/resources.json" >/dev/null
}

@test "bad input changes nothing" {
  begin
  only_tare
  fails "no limit is given"
  fails "option '--memory': '10x' is not a size" --memory 10x
  fails "option '--memory': '1.g' is not a size" --memory 1.g
  fails "option '--memory': '99999999999g' is too large" --memory 99999999999g
  fails "option '--pids-limit': '7.5' is not a number" --pids-limit 7.5
  fails "option '--cpuset-cpus': '0;1' is not a list" --cpuset-cpus '0;1'
  fails "beside it" --resources /dev/null --memory 1g
  fails "No such file" --resources "$BUNDLE/missing"
  echo '{"pids":{"limit":"many"}}' >"$BUNDLE/bad"
  fails "pids.limit" --resources "$BUNDLE/bad"
  echo '{"pids":' >"$BUNDLE/bad"
  fails "bad" --resources "$BUNDLE/bad"
  echo '{"devices":[{"allow":true,"access":"x"}]}' >"$BUNDLE/bad"
  fails "devices[0].access" --resources "$BUNDLE/bad"
}

@test "device rules stay, unless they are named" {
  begin '.linux.devices = [{path: "/dev/other", type: "c", major: 10, minor: 229, fileMode: 438}]
         | .linux.resources.devices = [{allow: false, access: "rwm"}]'
  may_open() {
    ! rt exec "$ID" sh -c ': </dev/other' 2>&1 </dev/null | grep -q "not permitted"
  }
  run ! may_open
  rt update --pids-limit 50 "$ID"
  run ! may_open
  [ "$(rt exec "$ID" sh -c 'echo x >/dev/null && echo fine' </dev/null)" = fine ]
  only_tare
  echo '{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}]}' |
    rt update -r - "$ID"
  may_open
  # a failure takes them back
  echo '{"devices":[{"allow":false,"access":"rwm"}],"cpu":{"cpus":"4000"}}' >"$BUNDLE/bad"
  fails cpu --resources "$BUNDLE/bad"
  may_open
  echo '{"devices":[{"allow":false,"access":"rwm"}]}' | rt update -r - "$ID"
  run ! may_open
}

@test "no container to update" {
  begin
  run_rt update --pids-limit 5 "$ID-x"
  assert_error 1 "does not exist"
  rt kill "$ID" KILL
  wait_until 30 has_status "$ID" stopped
  run_rt update --pids-limit 5 "$ID"
  assert_error 1 "not running"
  only_tare
  rt delete "$ID"
  config 'del(.linux.resources)'
  rt --cgroup-manager disabled run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
  run_rt update --pids-limit 5 "$ID"
  assert_error 1 "no cgroup of its own"
}
