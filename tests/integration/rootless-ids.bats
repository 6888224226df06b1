#!/usr/bin/env bats
# An ordinary user with subordinate ids and newuidmap(1): several ranges, as images of more than one
# user need them; the life cycle, and who lives where. rootless.bats has a user without help.

load helpers
load inside
load rootless

setup_file() {
  command -v newuidmap >/dev/null || skip "newuidmap is not installed"
  file_begin
  user_begin
  user_gets_ranges
  ROOT=$WORK/run/$(basename "$RUNTIME")
}
teardown_file() {
  local result=0
  [ -z "${WORK:-}" ] || wait_until 10 user_audit || result=1 # who is dead may wait to be reaped
  file_end || result=1
  return $result
}
setup() {
  only_tare # the peers set no groups here, leave processes behind, or want another cgroup tree
  test_begin
}
teardown() {
  test_end
  [ -z "${DELEGATED:-}" ] || rmdir "$DELEGATED/runner" "$DELEGATED"
}

# The state root is the user's own, and nobody says where. DELEGATED: a group of the user's, where
# it runs from then on.
rt() {
  (
    [ -z "${DELEGATED:-}" ] || echo "$BASHPID" >"$DELEGATED/runner/cgroup.procs"
    # shellcheck disable=SC2086
    as_user "$RUNTIME_COPY" ${LOG:-} "$@" 3>&-
  )
}

# A bundle with root, then three ranges with gaps on both sides.
make_ranges_bundle() {
  make_user_bundle "$@"
  config '.linux.uidMappings = [{containerID: 0, hostID: $own, size: 1}, {containerID: 1, hostID: $first, size: 999},
                                {containerID: 1000, hostID: $second, size: 1}, {containerID: 2000, hostID: ($first + 5000), size: 50}]
          | .linux.gidMappings = (.linux.uidMappings | map (if .hostID == $own then . else .hostID += 7 end))' \
    --argjson own "$USER_ID" --argjson first "$RANGE" --argjson second "$SECOND_RANGE"
}

@test "run: the maps are the config's; files and processes of every range; groups can be set" {
  make_ranges_bundle sh
  config '.root.readonly = false | .process.user = {uid: 0, gid: 0, additionalGids: [5, 1000]}
          | .process.capabilities |= map_values (. + ["CAP_CHOWN"])'
  inside 'cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; grep Groups /proc/self/status
    mkdir -m 777 /made; for id in 1 999 1000 2049; do touch /made/$id; chown $id:$id /made/$id || echo "no $id"; done
    chown 1001 /made/1 2>/dev/null || echo "1001 is nobody"; stat -c %u:%g /made/*'
  diff - <(tr -s ' \t' ' ' <<<"$output" | sed 's/^ //; s/ $//') <<ROWS >&2
0 $USER_ID 1
1 $RANGE 999
1000 $SECOND_RANGE 1
2000 $((RANGE + 5000)) 50
0 $USER_ID 1
1 $((RANGE + 7)) 999
1000 $((SECOND_RANGE + 7)) 1
2000 $((RANGE + 5007)) 50
allow
Groups: 5 1000
1001 is nobody
1:1
1000:1000
2049:2049
999:999
ROWS
  [ "$(stat -c %u:%g "$BUNDLE/rootfs/made/1000")" = "$SECOND_RANGE:$((SECOND_RANGE + 7))" ]
  [ "$(stat -c %u:%g "$BUNDLE/rootfs/made/2049")" = "$((RANGE + 5049)):$((RANGE + 5056))" ]
  assert_nothing_left
}

@test "create, start, exec as others, ps, kill, delete; state below XDG_RUNTIME_DIR; nothing is left" {
  make_ranges_bundle sh -c 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'
  config '.process.user = {uid: 1000, gid: 1000, additionalGids: [2000]}'
  create --pid-file "$BUNDLE/pid"
  [ "$(stat -c %u "$ROOT/$ID")" = "$USER_ID" ]
  [ "$(status_of "$ID")" = created ]
  rt start "$ID"
  wait_until 30 grep -q ready "$BUNDLE/out"
  local pid
  pid=$(cat "$BUNDLE/pid")
  [ "$(status_field Uid <"/proc/$pid/status")" = "$SECOND_RANGE $SECOND_RANGE $SECOND_RANGE $SECOND_RANGE" ]
  [ "$(status_field Gid <"/proc/$pid/status" | cut -d ' ' -f 1)" = $((SECOND_RANGE + 7)) ]
  [ "$(status_field Groups <"/proc/$pid/status")" = $((RANGE + 5007)) ]
  run_rt exec --user 5:6 "$ID" sh -c 'id -u; id -g; readlink /proc/self/ns/user; kill -0 1 2>/dev/null || echo foreign; exit 3' </dev/null
  [ "$status" -eq 3 ]
  assert_output $'5\n6\n'"$(readlink "/proc/$pid/ns/user")"$'\nforeign'
  run_rt exec --user 1500 "$ID" true </dev/null # has no mapping
  [ "$status" -ne 0 ]
  run_rt ps "$ID" # without a group nobody knows them
  assert_error 1 "no cgroup of its own"
  run_rt kill --all "$ID" WINCH
  assert_success
  [[ $stderr == *"init alone"* ]] || fail_with "no warning"
  [[ $(rt list) == *"$ID"*running* ]]
  rt kill "$ID" TERM
  wait_until 30 has_status "$ID" stopped
  rt delete "$ID"
  wait_until 30 user_audit
}

# Whoever leaves the host's network from there cannot come back.
@test "root of a user namespace that somebody else has made: a new network namespace, with lo" {
  make_user_bundle sh -c 'readlink /proc/self/ns/net; ip -o link'
  config 'del (.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= (map (select (.type != "user")) + [{type: "network"}])'
  run as_user unshare --user --map-root-user --map-auto "$RUNTIME_COPY" --root "$ROOT" \
    --cgroup-manager disabled run --bundle "$BUNDLE" "$ID" 3>&-
  [ "$status" -eq 0 ]
  [ "${lines[0]}" != "$(readlink /proc/self/ns/net)" ]
  [ "${#lines[@]}" -eq 2 ]
  [[ ${lines[1]} == "1: lo: <LOOPBACK,UP"* ]]
}

@test "kill --all, delete: processes of many ids go with their namespace" {
  make_ranges_bundle sleep 1000
  create
  rt start "$ID"
  local id
  for id in 0 1 999 1000 2049; do
    rt exec --detach --user $id:$id "$ID" sleep 1000 </dev/null >"$BUNDLE/out" 2>&1
  done
  [ "$(processes_of_user | wc -l)" -eq 6 ] || fail_with "$(processes_of_user)"
  rt kill --all "$ID" KILL
  wait_until 30 has_status "$ID" stopped
  wait_until 30 no_processes_of_user
  rt delete "$ID"
  wait_until 30 user_audit
  assert_nothing_left
}

@test "a range that was not granted: newuidmap's own words, and nothing is left" {
  make_ranges_bundle true
  config '.linux.uidMappings[1].hostID = 0'
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "linux.uidMappings"
  [[ $stderr == *"newuidmap"*"not allowed"* ]] || fail_with "it does not say why"
  wait_until 30 user_audit
  config '.linux.uidMappings[1].hostID = $own | .linux.uidMappings[0].hostID = ($own + 1)' --argjson own "$USER_ID"
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  [ "$status" -ne 0 ]
  wait_until 30 user_audit
  assert_nothing_left
}

@test "a helper that fails, that is killed, that does nothing: one line, and nobody is left" {
  make_ranges_bundle true
  mkdir "$BUNDLE/helpers"
  chmod 755 "$BUNDLE/helpers"
  ln -s "$(command -v newuidmap)" "$BUNDLE/helpers/newuidmap"
  local script
  for script in 'echo "no such user"; exit 4' 'kill -KILL $$' 'exit 0'; do
    printf '#!/bin/sh\n%s\n' "$script" >"$BUNDLE/helpers/newgidmap"
    chmod 755 "$BUNDLE/helpers/newgidmap"
    SEARCH=$BUNDLE/helpers:/usr/bin:/bin run_rt create --bundle "$BUNDLE" "$ID" </dev/null
    [ "$status" -eq 1 ] || fail_with "$script"
    [ "${#stderr_lines[@]}" -eq 1 ] || fail_with "$script"
    wait_until 30 user_audit
  done
  assert_nothing_left
}

@test "340 ranges" {
  make_user_bundle cat /proc/self/uid_map
  # short numbers: the kernel takes a page of text at the most
  config '.linux.uidMappings = [{containerID: 0, hostID: $own, size: 1}] + [range (1; 340) | {containerID: ., hostID: ($few + 2 * .), size: 1}]
          | .linux.gidMappings = .linux.uidMappings' --argjson own "$USER_ID" --argjson few "$FEW"
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [ "${#lines[@]}" -eq 340 ]
  wait_until 30 user_audit
}

@test "an ordinary user, who cannot give its groups away: they stay its own, and are removed" {
  local tree=/sys/fs/cgroup
  [ -e $tree/cgroup.controllers ] || tree=$tree/unified
  [ -e $tree/cgroup.procs ] || skip "no cgroup v2 tree"
  DELEGATED=$tree/$TAG-delegated
  mkdir "$DELEGATED" "$DELEGATED/runner"
  chown "$USER_ID" "$DELEGATED" "$DELEGATED"/{.,runner}/cgroup.{procs,threads,subtree_control} "$DELEGATED/runner"
  make_user_bundle sleep 1000
  config '.linux.uidMappings += [{containerID: 1, hostID: $range, size: 10}] | .linux.gidMappings = .linux.uidMappings
          | .linux.namespaces |= map (select (.type != "cgroup")) + [{type: "cgroup"}]
          | .mounts |= map (select (.destination != "/sys/fs/cgroup")) + [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup"}]' --argjson range "$RANGE"
  local user
  for user in 0 3; do
    config '.process.user = {uid: $user, gid: $user}' --argjson user $user
    LOG='--log-level debug' create
    [ -z "$(find "$DELEGATED" ! -user root ! -user "$USER_ID")" ]
    [ "$(stat -c %u "$DELEGATED/$ID")" = "$USER_ID" ]
    grep -c 'it stays ours' "$BUNDLE/err" >"$BUNDLE/lines" || true
    [ "$(cat "$BUNDLE/lines")" = $((user > 0)) ] || fail_with "$user: $(cat "$BUNDLE/err")"
    rt start "$ID"
    rt delete --force "$ID"
    [ ! -e "$DELEGATED/$ID" ]
  done
  assert_nothing_left
}
