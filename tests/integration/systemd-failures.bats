#!/usr/bin/env bats
# The systemd cgroup driver where something goes wrong: what systemd does not do is said, and what
# failed half way leaves no unit and no value behind. Several assertions on each container:
# everything is slow in the guest.
# guest: only

load helpers
load systemd

teardown () {
  test_end
  # slices stay: systemd removes them when it is told
  systemctl stop "$TAG.slice"
}

# in_slice [FILTER]: the scope pre-$ID.scope in $TAG.slice
in_slice () {
  UNIT=pre-$ID.scope
  GROUP=/$TAG.slice/$UNIT
  config '.linux.cgroupsPath = $path' --arg path "$TAG.slice:pre:$ID"
}

# no unit, no group, no container
no_scope_left () {
  wait_until 10 unit_is "$UNIT" not-found
  [ ! -e "/sys/fs/cgroup$GROUP" ]
  assert_nothing_left
}

@test "a job that fails is an error, and leaves no unit" {
  make_bundle true
  in_slice
  systemctl start "$TAG.slice"
  # systemd accepts the scope, and then cannot make its group
  echo 0 >"/sys/fs/cgroup/$TAG.slice/cgroup.max.descendants"
  run_rt --systemd-cgroup run --bundle "$BUNDLE" "$ID"
  assert_error 1 "unit $UNIT: its job ended with 'failed'"
  no_scope_left
  echo max >"/sys/fs/cgroup/$TAG.slice/cgroup.max.descendants"
  run_rt --systemd-cgroup run --bundle "$BUNDLE" "$ID"
  assert_success
  no_scope_left
}

@test "a unit of that name somewhere else is systemd's to refuse, and stays" {
  make_bundle true
  in_slice
  systemd-run --quiet --scope --unit "$UNIT" sleep 1000 3>&- &
  wait_until 60 systemctl --quiet is-active "$UNIT"
  run_rt --systemd-cgroup run --bundle "$BUNDLE" "$ID"
  assert_error 1 "start unit $UNIT: Unit $UNIT was already loaded"
  [ "$(shown "$UNIT" ActiveState,Slice)" = $'Slice=system.slice\nActiveState=active' ]
  assert_nothing_left "$ID/"
  systemctl stop "$UNIT"
  wait
}

@test "without its helper the driver says what it misses" {
  make_bundle true
  # shellcheck disable=SC2016
  run --separate-stderr unshare --mount sh -c 'mount -t tmpfs tmpfs /usr/local/libexec/tare; exec "$@"' - \
    "$RUNTIME" --root "$ROOT" --systemd-cgroup run --bundle "$BUNDLE" "$ID" 3>&-
  assert_error 1 "needs '/usr/local/libexec/tare/tare-systemd', which is not there"
  assert_nothing_left
}

# with_helper SCRIPT...: run --systemd-cgroup with a helper that is these lines. $real is the real one.
with_helper () {
  cp /usr/local/libexec/tare/tare-systemd "$BUNDLE/real"
  {
    echo "#!/bin/sh"
    echo "real=$BUNDLE/real"
    printf '%s\n' "$@"
  } >"$BUNDLE/tare-systemd"
  chmod 755 "$BUNDLE/tare-systemd"
  # shellcheck disable=SC2016
  run --separate-stderr unshare --mount sh -c 'mount -t tmpfs tmpfs /usr/local/libexec/tare
    cp "$1" /usr/local/libexec/tare/; shift; exec "$@"' - "$BUNDLE/tare-systemd" \
    "$RUNTIME" --root "$ROOT" --systemd-cgroup run --bundle "$BUNDLE" "$ID" 3>&-
}

@test "a property that this systemd does not know is left out if it may be" {
  make_bundle true
  in_slice
  # shellcheck disable=SC2016
  with_helper '[ "$1" = start ] || exec "$real" "$@"' \
    '{ cat; printf "?NoSuchProperty\0t\0001\0001\0"; } | "$real" "$@"'
  assert_success
  # shellcheck disable=SC2016
  with_helper '[ "$1" = start ] || exec "$real" "$@"' \
    '{ cat; printf "NoSuchProperty\0t\0001\0001\0"; } | "$real" "$@"'
  assert_error 1 "start unit $UNIT: Cannot set property NoSuchProperty, or unknown property."
  no_scope_left
}

@test "a create that fails late, or is killed, leaves no scope" {
  make_bundle /no/such
  in_slice
  EXPECT=127 run_rt --systemd-cgroup run --bundle "$BUNDLE" "$ID"
  assert_error 127 '/no/such'
  no_scope_left
  config '.process.args = ["true"] | .hooks = {createRuntime: [{path: "/bin/false"}]}'
  run_rt --systemd-cgroup run --bundle "$BUNDLE" "$ID"
  assert_error 1 createRuntime
  no_scope_left

  config '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", $script]}]}' \
    --arg script "echo >$BUNDLE/reached; exec sleep 60"
  "$RUNTIME" --root "$ROOT" --systemd-cgroup create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- &
  local runtime=$!
  wait_until 60 test -e "$BUNDLE/reached"
  [ "$(shown "$UNIT" ActiveState)" = ActiveState=active ]
  kill -KILL "$runtime"
  wait "$runtime" || true
  rt delete --force "$ID"
  no_scope_left
}

@test "an update that fails is taken back from systemd, too" {
  make_bundle sleep 1000
  in_slice
  config '.linux.resources = {memory: {limit: 104857600}, pids: {limit: 30}, cpu: {quota: 50000, period: 100000}}'
  rt --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
  local before='104857600 30 50000 100000 '
  [ "$(values)" = "$before" ]
  # systemd takes a CPU that does not exist, the kernel does not; it comes last
  run_rt update --memory 209715200 --pids-limit 40 --cpu-quota 70000 --cpuset-cpus 4000 "$ID"
  assert_error 1 cpuset.cpus
  [ "$(values)" = "$before" ]
  run shown "$UNIT" MemoryMax,TasksMax,CPUQuotaPerSecUSec,AllowedCPUs
  assert_output $'CPUQuotaPerSecUSec=500ms\nAllowedCPUs=\nMemoryMax=104857600\nTasksMax=30'
  systemctl daemon-reload
  [ "$(values)" = "$before" ]
  rt delete --force "$ID"
  no_scope_left
}

# memory, pids, cpu, cpuset: what the group's files have
values () {
  echo "$(limit memory.max) $(limit pids.max) $(limit cpu.max) $(limit cpuset.cpus)"
}

@test "the helper is started once for a container, and once more for its device rules" {
  make_bundle true
  in_slice
  config '.linux.resources = {memory: {limit: 104857600}, pids: {limit: 30}}'
  # shellcheck disable=SC2016
  local script='echo "$@" >>'"$BUNDLE/calls"'; exec "$real" "$@"'
  with_helper "$script"
  assert_success
  # stopping is systemd's own affair where it has seen the last process go
  [ "$(grep -v '^stop ' "$BUNDLE/calls")" = "start $UNIT" ]
  rm "$BUNDLE/calls"
  config '.linux.resources.devices = [{allow: false, access: "rwm"}]'
  with_helper "$script"
  assert_success
  [ "$(grep -v '^stop ' "$BUNDLE/calls")" = "start $UNIT
set $UNIT" ]
  no_scope_left
}
