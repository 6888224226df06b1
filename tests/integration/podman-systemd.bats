#!/usr/bin/env bats
# podman with systemd as its cgroup manager, as root and as an ordinary user: containers are scopes,
# pods are slices. Few commands, for one takes seconds in the guest.
# guest: only

load helpers
load rootless
load systemd

setup_file() {
  user_manager_begin
  file_begin
  user_begin
  tar -C "$WORK/rootfs" -cf "$WORK/bb.tar" .
  cat >"$WORK/containers.conf" <<END
[containers]
log_driver = "k8s-file"
netns = "none"
[engine]
cgroup_manager = "systemd"
events_logger = "file"
runtime_supports_json = ["tare"]
[engine.runtimes]
tare = ["$RUNTIME_COPY"]
END
  mkdir "$WORK/home"
  chown "$USER_ID" "$WORK/home"
  podman import "$WORK/bb.tar" bb
  user_podman import "$WORK/bb.tar" bb
}
teardown_file() {
  local result=0
  umount "$WORK/storage/overlay" 2>/dev/null || true
  file_end || result=1
  return $result
}
teardown() {
  if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
    podman rm --all --force --time 0 >&2
    user_podman rm --all --force --time 0 >&2
  fi
  test_end
}

podman() {
  CONTAINERS_CONF=$WORK/containers.conf command podman --root "$WORK/storage" --runroot "$WORK/runroot" "$@" 3>&-
}

user_podman() {
  as_user env HOME="$WORK/home" CONTAINERS_CONF="$WORK/containers.conf" podman "$@" 3>&-
}

scope_is_gone() {
  unit_is "$1" not-found
}

@test "run, exec, limits, update, stop, rm: a scope of machine.slice" {
  local id pid unit
  podman --runtime tare run --detach --name "$ID" --memory 100m --pids-limit 30 --cpus 0.5 bb \
    sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done' >"$WORK/id"
  id=$(cat "$WORK/id")
  unit=libpod-$id.scope
  pid=$(podman inspect --format '{{.State.Pid}}' "$ID")
  GROUP=$(group_of "$pid")
  [[ $GROUP/ == "/machine.slice/$unit/"* ]]
  [ "$(shown "$unit" ActiveState,MemoryMax,TasksMax,CPUQuotaPerSecUSec)" = \
    $'CPUQuotaPerSecUSec=500ms\nMemoryMax=104857600\nTasksMax=30\nActiveState=active' ]
  run podman exec "$ID" sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max; exit 5'
  [ "$status" -eq 5 ]
  assert_output $'104857600\n30\n50000 100000'
  systemctl daemon-reload
  podman update --memory 200m "$ID"
  [ "$(limit memory.max) $(limit pids.max)" = '209715200 30' ]
  podman stop --time 60 "$ID"
  [ "$(podman inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$ID")" = 'exited 3' ]
  wait_until 20 scope_is_gone "$unit"
  podman rm "$ID"
  [ ! -e "/sys/fs/cgroup/machine.slice/$unit" ]
}

@test "a pod: its slice holds the scopes, and goes with it" {
  local pod slice name pid
  podman --runtime tare pod create --name "$ID" --infra-image bb --infra-command 'sleep 1000' >"$WORK/id"
  pod=$(cat "$WORK/id")
  slice=machine-libpod_pod_$pod.slice
  for name in a b; do
    podman --runtime tare run --detach --pod "$ID" --name "$ID-$name" bb sleep 1000
    pid=$(podman inspect --format '{{.State.Pid}}' "$ID-$name")
    [[ $(group_of "$pid") == "/machine.slice/$slice/libpod-"* ]]
  done
  [ "$(shown "$slice" ActiveState)" = ActiveState=active ]
  podman pod rm --force --time 0 "$ID"
  [ ! -e "/sys/fs/cgroup/machine.slice/$slice" ]
}

@test "an ordinary user: a scope of the user's own manager, with limits" {
  local id pid
  user_podman --runtime tare run --detach --name "$ID" --memory 100m --pids-limit 30 bb sleep 1000 >"$WORK/id"
  id=$(cat "$WORK/id")
  pid=$(user_podman inspect --format '{{.State.Pid}}' "$ID")
  GROUP=$(group_of "$pid")
  [[ $GROUP/ == "/user.slice/user-$USER_ID.slice/user@$USER_ID.service/user.slice/libpod-$id.scope/"* ]]
  [ "$(limit memory.max) $(limit pids.max)" = '104857600 30' ]
  run user_podman exec "$ID" id -u
  assert_output 0
  user_podman rm --force --time 0 "$ID"
  [ ! -e "/sys/fs/cgroup/${GROUP%%/libpod-*}/libpod-$id.scope" ]
}
