#!/usr/bin/env bats
# The systemd cgroup driver, with a systemd that is really there. Several assertions on each
# container: everything is slow in the guest.
# guest: only

load helpers
load systemd

teardown () {
  test_end
  systemctl stop "$TAG.slice"
}

# as managers write it: all is denied, then some is allowed
with_limits () {
  config '.linux.cgroupsPath = $path | .annotations = {
      "org.systemd.property.TimeoutStopSec": "uint64 7", "org.systemd.property.CollectMode": "'"'inactive'"'"}
    | .linux.devices = [{type: "c", path: "/dev/f", major: 10, minor: 229}, {type: "c", path: "/dev/k", major: 1, minor: 11}]
    | .linux.resources = {
      devices: [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 229, access: "rw"}],
      memory: {limit: 104857600, reservation: 52428800}, pids: {limit: 30},
      cpu: {shares: 2048, quota: 50000, period: 100000, cpus: "0", mems: "0"}}' --arg path "$1"
}

@test "a scope with limits, which systemd knows and keeps; exec, update, delete" {
  make_bundle sleep 1000
  with_limits "$TAG-x.slice:pre:$ID"
  rt --systemd-cgroup create --bundle "$BUNDLE" "$ID"
  local unit=pre-$ID.scope pid
  pid=$(pid_of "$ID")
  GROUP=/$TAG.slice/$TAG-x.slice/$unit
  [ "$(group_of "$pid")" = "$GROUP" ]
  run shown "$unit" 'ActiveState,Delegate,MemoryMax,MemoryLow,TasksMax,CPUWeight,CPUQuotaPerSecUSec,CPUQuotaPeriodUSec,AllowedCPUs,AllowedMemoryNodes,TimeoutStopUSec,Slice,DevicePolicy,DefaultDependencies,CollectMode,Description'
  echo "$output" >&2
  local wanted
  for wanted in ActiveState=active Delegate=yes MemoryMax=104857600 MemoryLow=52428800 TasksMax=30 \
    CPUWeight=174 CPUQuotaPerSecUSec=500ms CPUQuotaPeriodUSec=100ms AllowedCPUs=0 \
    AllowedMemoryNodes=0 TimeoutStopUSec=7s "Slice=$TAG-x.slice" DevicePolicy=strict \
    DefaultDependencies=no CollectMode=inactive "Description=tare container $ID"; do
    grep -qxF -- "$wanted" <<<"$output" || { echo "no $wanted" >&2; return 1; }
  done
  rt start "$ID"

  # nothing is taken or given when systemd applies what it knows anew
  systemctl daemon-reload
  [ "$(limit memory.max) $(limit memory.low) $(limit pids.max)" = "104857600 52428800 30" ]
  [ "$(limit cpu.weight) $(limit cpu.max) $(limit cpuset.cpus)" = "174 50000 100000 0" ]
  run rt exec "$ID" sh -c 'cat /proc/self/cgroup; echo x >/dev/null && echo null
    true 3<>/dev/f; echo "allowed $?"; true 3<>/dev/k' 3>&-
  echo "$output" >&2
  [[ $output == "0::/"*$'\nnull\n'* ]]
  [[ $output == *$'\nallowed 0\n'* ]]
  [[ $output == *'/dev/k: Operation not permitted'* ]]

  rt update --memory 209715200 --pids-limit 40 --cpu-quota 70000 "$ID"
  systemctl daemon-reload
  [ "$(limit memory.max) $(limit pids.max) $(limit cpu.max)" = "209715200 40 70000 100000" ]
  run shown "$unit" MemoryMax,TasksMax
  [[ $output == *MemoryMax=209715200* ]]
  [[ $output == *TasksMax=40* ]]

  rt delete --force "$ID"
  [ ! -e "/sys/fs/cgroup$GROUP" ]
  [ "$(shown "$unit" LoadState)" = LoadState=not-found ]
}

@test "by default it is a scope of system.slice; its end removes the scope, and the name is free" {
  make_bundle cat /proc/self/cgroup
  config 'del(.linux.cgroupsPath) | .linux.namespaces -= [{type: "cgroup"}]'
  run_rt --cgroup-manager systemd run --bundle "$BUNDLE" "$ID"
  assert_success
  assert_output "0::/system.slice/tare-$ID.scope"
  # at once again
  run_rt --cgroup-manager systemd run --bundle "$BUNDLE" "$ID"
  assert_success
  assert_nothing_left
}

@test "a group below the scope, with the limits" {
  make_bundle sleep 1000
  with_limits ":pre:$ID"
  config '.annotations = {"run.oci.systemd.subgroup": "inner"}'
  rt --systemd-cgroup create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>"$WORK/stderr" ||
    { cat "$WORK/stderr" >&2; return 1; }
  GROUP=/system.slice/pre-$ID.scope/inner
  [ "$(group_of "$(pid_of "$ID")")" = "$GROUP" ]
  [ "$(limit memory.max) $(limit pids.max)" = "104857600 30" ]
  [ "$(shown "pre-$ID.scope" MemoryMax)" = MemoryMax=104857600 ]
  # and what is run in it later, with every controller's limits
  rt start "$ID"
  rt exec --detach --pid-file "$BUNDLE/pid" "$ID" sleep 1000 </dev/null >/dev/null 2>&1
  [ "$(group_of "$(cat "$BUNDLE/pid")")" = "$GROUP" ]
  rt delete --force "$ID"
  [ "$(shown "pre-$ID.scope" LoadState)" = LoadState=not-found ]
  assert_nothing_left
}

@test "somebody else's unit of that name is refused, and stays" {
  make_bundle true
  config '.linux.cgroupsPath = $path' --arg path ":pre:$ID"
  systemd-run --quiet --scope --unit "pre-$ID" sleep 1000 3>&- &
  wait_until 60 systemctl --quiet is-active "pre-$ID.scope"
  run_rt --systemd-cgroup run --bundle "$BUNDLE" "$ID"
  assert_error 1 'not empty'
  systemctl --quiet is-active "pre-$ID.scope"
  systemctl stop "pre-$ID.scope"
  wait
}

@test "a unit whose name the next container got is not stopped with the one before" {
  make_bundle sleep 1000
  config '.linux.cgroupsPath = $path' --arg path ":pre:$ID"
  rt --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID-old" </dev/null >/dev/null 2>&1
  rt kill "$ID-old" KILL
  wait_until 60 has_status "$ID-old" stopped
  wait_until 60 is_forgotten "pre-$ID.scope"
  rt --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
  rt delete "$ID-old"
  has_status "$ID" running
  systemctl --quiet is-active "pre-$ID.scope"
  rt delete --force "$ID"
  is_forgotten "pre-$ID.scope"
}

is_forgotten () {
  [ "$(shown "$1" LoadState)" = LoadState=not-found ]
}

@test "what systemd refuses, and what a config may not ask of it" {
  make_bundle true
  config '.annotations = {"org.systemd.property.KillMode": "'"'nonsense'"'"}'
  run_rt --systemd-cgroup run --bundle "$BUNDLE" "$ID"
  assert_error 1 "start unit tare-$ID.scope: "
  config '.annotations = {"org.systemd.property.ExecStart": "['"'/bin/true'"']"}'
  run_rt --systemd-cgroup run --bundle "$BUNDLE" "$ID"
  assert_error 1 'annotations["org.systemd.property.ExecStart"]: not a property that a container may set'
  config '.annotations = {} | .linux.cgroupsPath = "/a/b"'
  run_rt --systemd-cgroup run --bundle "$BUNDLE" "$ID"
  assert_error 1 "linux.cgroupsPath: '/a/b': with systemd it must be slice:prefix:name"
  assert_nothing_left
  [ "$(shown "tare-$ID.scope" LoadState)" = LoadState=not-found ]
}

@test "device rules that systemd has no word for outlive its daemon-reload" {
  make_bundle sh -c 'mknod /dev/k c 1 11; mknod /dev/f c 10 229; sleep 1000'
  config '.linux.cgroupsPath = $path | .linux.resources.devices = [
      {allow: true, type: "c", access: "rwm"}, {allow: false, type: "c", major: 1, minor: 11, access: "rw"}]
    | .process.capabilities |= with_entries(.value += ["CAP_MKNOD"])' --arg path "$TAG.slice:pre:$ID"
  rt --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
  wait_until 10 rt exec "$ID" test -c /dev/f
  local turn
  for turn in before after; do
    [ "$turn" = before ] || systemctl daemon-reload
    run rt exec "$ID" sh -c 'true 3<>/dev/f; echo "allowed $?"; true 3<>/dev/k' 3>&-
    [[ $output == *$'allowed 0\n'*'/dev/k: Operation not permitted'* ]] || fail_with "$turn"
  done
  rt delete --force "$ID"
}

# As the peers have it: who makes a slice for containers has it removed, if anybody.
@test "the slice that systemd made for a scope stays when the container goes" {
  local peer
  make_bundle true
  config '.ociVersion = "1.0.2" | .linux.cgroupsPath = $path' --arg path "$TAG.slice:pre:$ID"
  for peer in "$RUNTIME" $(type -P crun runc); do
    RUNTIME=$peer run_rt --systemd-cgroup run --bundle "$BUNDLE" "$ID" </dev/null
    assert_success
    [ "$(shown "$TAG.slice" ActiveState)" = ActiveState=active ] || fail_with "$peer"
    unit_is "pre-$ID.scope" not-found || wait_until 20 unit_is "pre-$ID.scope" not-found
    systemctl stop "$TAG.slice"
    [ ! -e "/sys/fs/cgroup/$TAG.slice" ]
  done
}
