#!/usr/bin/env bats
# An ordinary user with nothing but a single mapping of its own id: the life cycle, what it can have
# and what it cannot, and the line that says why. Nobody helps; rootless-ids.bats has who does.

load helpers
load inside
load rootless
# shellcheck source=/dev/null
. "$TOP/tests/lib/docs.bash"

setup_file() {
  file_begin
  user_begin
}
teardown_file() {
  local result=0
  [ -z "${WORK:-}" ] || wait_until 10 no_processes_of_user || result=1
  file_end || result=1
  return $result
}
setup() {
  only_tare # the peer has rules of its own
  test_begin
}
teardown() {
  test_end
  [ -z "${DELEGATED:-}" ] || find "$DELEGATED" -depth -type d -exec rmdir {} +
}

@test "run: root inside, the user outside; groups, devices, masks, no way to more" {
  make_user_bundle sh
  inside 'cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; id -u; id -g; touch /dev/shm/made; stat -c %u:%g /dev/shm/made
    echo x >/dev/null; head -c 2 /dev/zero | wc -c; ls /sys/firmware | wc -l; mknod /dev/x c 1 3 2>/dev/null || echo refused
    chown 1 /dev/shm/made 2>/dev/null || echo refused; grep Groups /proc/self/status; hostname'
  diff - <(tr -s ' \t' ' ' <<<"$output" | sed 's/^ //; s/ $//') <<ROWS >&2
0 $USER_ID 1
0 $USER_ID 1
deny
0
0
0:0
2
0
refused
refused
Groups:
tare
ROWS
  assert_nothing_left
}

@test "create, state, start, exec, ps, pause, kill, delete; the program's status; nothing is left" {
  make_user_bundle sh -c 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'
  : >"$BUNDLE/out"
  chown "$USER_ID" "$BUNDLE/out"
  rt create --bundle "$BUNDLE" --pid-file "$BUNDLE/pid" "$ID" </dev/null >"$BUNDLE/out" 2>&1
  [ "$(status_of "$ID")" = created ]
  [ "$(stat -c %u "$ROOT/$ID")" = "$USER_ID" ]
  local pid
  pid=$(pid_of "$ID")
  [ "$(cat "$BUNDLE/pid")" = "$pid" ]
  [ "$(status_field Uid <"/proc/$pid/status")" = "$USER_ID $USER_ID $USER_ID $USER_ID" ]
  rt start "$ID"
  wait_until 30 grep -q ready "$BUNDLE/out"
  run_rt exec "$ID" sh -c 'id -u; cat /proc/self/uid_map; readlink /proc/self/ns/user; exit 3' </dev/null
  [ "$status" -eq 3 ]
  [ "${lines[0]}" = 0 ]
  [ "${lines[2]}" = "$(readlink "/proc/$pid/ns/user")" ]
  [[ $(rt list -q) == *"$ID"* ]]
  run_rt pause "$ID"
  assert_error 1 "no cgroup of its own (none was delegated"
  [ "$(status_of "$ID")" = running ]
  rt kill "$ID" TERM
  wait_until 30 has_status "$ID" stopped
  rt delete "$ID"
  assert_nothing_left
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null >/dev/null &
  local job=$!
  wait_until 30 has_status "$ID" running
  rt kill "$ID" KILL
  wait $job || true
  wait_until 30 no_processes_of_user
  assert_nothing_left
}

@test "the state root is the user's own below XDG_RUNTIME_DIR; without one, a line says so" {
  make_user_bundle true
  as_user "$RUNTIME_COPY" create --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/said" 2>&1 3>&-
  [ -d "$WORK/run/tare/$ID" ]
  [ "$(stat -c '%u %a' "$WORK/run/tare")" = "$USER_ID 700" ]
  as_user "$RUNTIME_COPY" delete --force "$ID"
  [ -z "$(ls "$WORK/run/tare")" ]
  run --separate-stderr as_user env -u XDG_RUNTIME_DIR "$RUNTIME_COPY" list
  assert_error 1 "XDG_RUNTIME_DIR"
  [ ! -e "/run/tare/$ID" ]
}

@test "the page about it: what it has a person type" {
  mkdir -p "$BUNDLE/home"
  chown "$USER_ID" "$BUNDLE/home"
  SEARCH=$BUNDLE/bin:/usr/bin:/bin run run_page rootless.md as_user
  assert_success
  [[ $output == *'uid=0 gid=0'*hello ]] || fail_with "not what the page promises"
  [ -z "$(ls "$WORK/run/tare")" ]
}

@test "limits: why they cannot be had; switched off, forgiven, insisted on" {
  make_user_bundle true
  config '.linux.resources = {memory: {limit: 10000000}}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "linux.resources.memory.limit"
  [[ $stderr == *"Permission denied"*"delegated"* ]] || fail_with "it does not say why"
  run_rt --cgroup-manager disabled run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [ -z "$stderr" ]
  run_rt --rootless=true run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [ "${#stderr_lines[@]}" -eq 1 ]
  [[ $stderr == *"warning: no limits are in force"*"linux.resources.memory.limit"* ]] || fail_with "no warning"
  run_rt --rootless=maybe run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$status" -ne 0 ]
  # device rules: in a user namespace there is nothing to rule
  config '.linux.resources = {devices: [{allow: false, access: "rwm"}]}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [ -z "$stderr" ]
  run_rt --log-level debug run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [[ $stderr == *"debug: linux.resources.devices: left out"* ]] || fail_with "no line for debug"
  run_rt --rootless=false run --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "Permission denied"
  assert_nothing_left
}

@test "a delegated cgroup v2 tree is used as any other: its own group, pause, kill of all" {
  local tree=/sys/fs/cgroup
  [ -e $tree/cgroup.controllers ] || tree=$tree/unified
  [ -e $tree/cgroup.procs ] || skip "no cgroup v2 tree"
  local own=$tree/$TAG-delegated
  mkdir "$own" "$own/runner"
  chown "$USER_ID" "$own" "$own"/cgroup.{procs,threads,subtree_control} "$own/runner" "$own/runner/cgroup.procs"
  make_user_bundle sh -c 'setsid sleep 1000 & exec sleep 1000'
  rt() {
    bash -c 'echo $$ >"$1/runner/cgroup.procs"; shift; exec "$@"' - "$own" \
      setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups --inh-caps=-all "$RUNTIME_COPY" --root "$ROOT" "$@" 3>&-
  }
  create
  rt start "$ID"
  local pid
  pid=$(pid_of "$ID")
  grep -q "^0::/$TAG-delegated/$ID$" "/proc/$pid/cgroup" || fail_with "$(cat "/proc/$pid/cgroup")"
  rt pause "$ID"
  grep -q 'frozen 1' "$own/$ID/cgroup.events"
  [ "$(status_of "$ID")" = paused ]
  rt resume "$ID"
  run_rt exec "$ID" cat /proc/self/cgroup </dev/null
  assert_success
  rt kill --all "$ID" KILL
  wait_until 30 has_status "$ID" stopped
  rt delete "$ID"
  [ ! -e "$own/$ID" ]
  # a limit that the tree cannot give says which
  config '.linux.resources = {rdma: {mlx5_1: {hcaHandles: 3}}}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "linux.resources.rdma"
  assert_nothing_left
  rmdir "$own/runner" "$own"
}

@test "other ids than the own one: who could map them, and what they cost" {
  make_user_bundle true
  local good edit words
  good=$(cat "$BUNDLE/config.json")
  while IFS=@ read -r edit words; do
    jq "$edit" <<<"$good" >"$BUNDLE/config.json"
    SEARCH=$WORK/nowhere run_rt create --bundle "$BUNDLE" "$ID" </dev/null
    assert_error 1 "$words"
  done <<'ROWS'
.linux.uidMappings[0].hostID = 0@linux.uidMappings: an ordinary user can map the own id
.linux.uidMappings[0].size = 2@needs newuidmap, which is not in PATH
.linux.gidMappings += [{containerID: 1, hostID: 100000, size: 65536}]@needs newgidmap, which is not in PATH
.process.user.additionalGids = [0]@process.user.additionalGids: cannot be set
.process.user.uid = 1@process.user.uid: 1 is not in linux.uidMappings
.process.user.gid = 1@process.user.gid: 1 is not in linux.gidMappings
.linux.namespaces |= map (select (.type != "user")) | del (.linux.uidMappings, .linux.gidMappings)@linux.namespaces: without a user namespace
ROWS
  assert_nothing_left
}

@test "a user namespace of its own making, joined by path; with what it owns" {
  make_user_bundle sleep 1000
  create
  local pid first=$ID
  pid=$(pid_of "$ID")
  ID=$ID-second
  config '.linux.namespaces |= map (if .type == "user" or .type == "ipc" or .type == "uts" or .type == "pid"
            then .path = "/proc/\($pid)/ns/\(.type)" else . end) | del (.linux.uidMappings, .linux.gidMappings, .hostname)' --arg pid "$pid"
  inside 'for n in user ipc uts pid; do readlink /proc/self/ns/$n; done; id -u; cat /proc/self/setgroups'
  local i=0 kind
  for kind in user ipc uts pid; do
    [ "${lines[i]}" = "$(readlink "/proc/$pid/ns/$kind")" ] || fail_with "$kind"
    i=$((i + 1))
  done
  [ "${lines[4]} ${lines[5]}" = "0 deny" ]
  rt delete --force "$first"
  assert_nothing_left "$first"
}

@test "the groups of the user are kept where that is asked for" {
  make_user_bundle grep Groups /proc/self/status
  config '.annotations = {"run.oci.keep_original_groups": "1"}'
  KEEP="$USER_ID,$((USER_ID + 1))" run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [ "$(wc -w <<<"$output")" = 3 ] || fail_with "not both groups"
}

# Even what is the user's own there, which the kernel would let it write.
@test "T44: the host's cgroup tree, seen through /sys, cannot be written" {
  local tree=/sys/fs/cgroup
  [ -e $tree/cgroup.controllers ] || tree=$tree/unified
  [ -e $tree/cgroup.procs ] || skip "no cgroup v2 tree"
  DELEGATED=$tree/$TAG-mine
  mkdir "$DELEGATED"
  chown "$USER_ID" "$DELEGATED" "$DELEGATED"/cgroup.{procs,threads,subtree_control}
  as_user mkdir "$DELEGATED/made" # the control
  rmdir "$DELEGATED/made"
  make_user_bundle sh
  config '.linux.namespaces |= map (select (.type != "cgroup")) | .mounts |= map (select (.destination != "/sys/fs/cgroup"))'
  # shellcheck disable=SC2016
  inside '[ -d '"$DELEGATED"' ] && echo seen; for d in /sys/fs/cgroup /sys/fs/cgroup/* '"$DELEGATED"'; do mkdir $d/made 2>/dev/null && echo "made $d/made"
    ( echo 1 >$d/cgroup.procs ) 2>/dev/null && echo "wrote $d"; done; mount -o remount,bind,rw /sys/fs/cgroup 2>/dev/null && echo remounted; echo done'
  assert_output $'seen\ndone'
  [ -z "$(find "$DELEGATED" -mindepth 1 -type d)" ]
}
