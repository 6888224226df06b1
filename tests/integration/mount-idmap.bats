#!/usr/bin/env bats
# Idmapped mounts (config.md, "Mounts": uidMappings, idmap, ridmap; and the ranges in the option).
# An id in the file system appears as another: what the volume has of 0 is seen as 1000, say.

load helpers
load inside

# A volume with files of 0, 5 and 1000, and a mount below it.
volume() {
  make_bundle sh
  config '.process.capabilities[] += ["CAP_CHOWN"]'
  mkdir -p "$BUNDLE/volume/below"
  local id
  for id in 0 5 1000; do
    touch "$BUNDLE/volume/$id"
    chown "$id:$id" "$BUNDLE/volume/$id"
  done
}

# mount_volume OBJECT: the rest of the mount's, as jq takes it.
mount_volume() {
  config ".mounts += [{destination: \"/v\", type: \"bind\", source: \"volume\"} + $1]"
}

user_namespace() {
  chmod 755 "$WORK" "$BUNDLE"
  chown -R 100000:100000 "$BUNDLE/rootfs"
  config '.linux.namespaces += [{type: "user"}]
          | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
          | .linux.gidMappings = .linux.uidMappings'
}

readonly show='cd /v && stat -c "%n:%u:%g" 0 5 1000'

@test "uidMappings and gidMappings, with and without the option" {
  volume
  mount_volume '{options: ["bind", "idmap"], uidMappings: [{containerID: 0, hostID: 3000, size: 10},
    {containerID: 1000, hostID: 7, size: 1}], gidMappings: [{containerID: 0, hostID: 4000, size: 1001}]}'
  inside "$show; chown 3002:4003 5"
  [ "${lines[*]}" = "0:3000:4000 5:3005:4005 1000:7:5000" ]
  [ "$(stat -c %u:%g "$BUNDLE/volume/5")" = 2:3 ]
  chown 5:5 "$BUNDLE/volume/5"
  config '.mounts[-1].options = ["rbind"]'
  inside "$show"
  [ "${lines[*]}" = "0:3000:4000 5:3005:4005 1000:7:5000" ]
}

@test "ranges in the option; those with @ are ids of the container" {
  only_tare
  volume
  mount_volume '{options: ["bind", "idmap=uids=0-3000-10#1000-7-1;gids=0-4000-1001"]}'
  inside "$show"
  [ "${lines[*]}" = "0:3000:4000 5:3005:4005 1000:7:5000" ]
  user_namespace
  config '.mounts[-1].options = ["bind", "idmap=uids=0-@10-10#1000-100007-1;gids=@0-0-10#1000-@9-1"]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "/v: idmap=uids=0-@10-10"
  config '.mounts[-1].options = ["bind", "idmap=uids=@0-10-10#1000-100007-1;gids=@0-0-10#@1000-20-1"]'
  inside "$show"
  [ "${lines[*]}" = "0:10:0 5:15:5 1000:7:20" ]
}

@test "without ranges: those of the container's user namespace, new or joined" {
  volume
  user_namespace
  mount_volume '{options: ["bind", "idmap"]}'
  inside "$show; touch new"
  [ "${lines[*]}" = "0:0:0 5:5:5 1000:1000:1000" ]
  [ "$(stat -c %u:%g "$BUNDLE/volume/new")" = 0:0 ]

  only_tare
  # a second container in the first one's user namespace
  config '.process.args = ["sleep", "1000"]'
  create
  rt start "$ID"
  config '(.linux.namespaces[] | select (.type == "user")).path = "/proc/\($pid)/ns/user" |
    del (.linux.uidMappings, .linux.gidMappings) | .process.args = ["sh", "-c", $script]' \
    --arg script "$show" --arg pid "$(pid_of "$ID")"
  run_rt run --bundle "$BUNDLE" "$ID-2"
  assert_success
  [ "${lines[*]}" = "0:0:0 5:5:5 1000:1000:1000" ]
}

@test "idmap reaches the top alone, ridmap the whole tree" {
  only_tare
  volume
  mount_volume '{options: ["rbind", "idmap"], uidMappings: [{containerID: 0, hostID: 3000, size: 2000}],
    gidMappings: [{containerID: 0, hostID: 4000, size: 2000}]}'
  config '.mounts += [.mounts[-1] | .destination = "/r" | .options = ["rbind", "ridmap"]] |
    .process.args = ["stat", "-c", "%n:%u:%g", "/v/5", "/v/below/x", "/r/5", "/r/below/x"]'
  run unshare --mount --propagation private bash -c "mount -t tmpfs t '$BUNDLE/volume/below' &&
    touch '$BUNDLE/volume/below/x' && '$RUNTIME' --root '$ROOT' run --bundle '$BUNDLE' '$ID'" 3>&-
  [ "$status" -eq 0 ] || { echo "$output"; return 1; }
  [ "${lines[*]}" = "/v/5:3005:4005 /v/below/x:0:0 /r/5:3005:4005 /r/below/x:3000:4000" ]
}

@test "many mounts with the same map take one user namespace; with others, one each" {
  only_tare
  volume
  config '.mounts += [range (40) | {destination: "/v\(.)", type: "bind", source: "volume", options: ["idmap=uids=0-3000-2000;gids=0-3000-2000"]},
    {destination: "/w\(.)", type: "bind", source: "volume", options: ["idmap=uids=0-4000-2000;gids=0-4000-2000"]}]
    | .mounts |= (.[:7] + (.[7:] | sort_by (.options)))'
  config '.process.args = ["stat", "-c", "%u:%g", "/v0/5", "/v39/5", "/w0/0", "/w39/1000"]'
  ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 run --separate-stderr strace -qq -e trace=clone3 \
    -o "$BUNDLE/trace" "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  assert_success
  [ "${lines[*]}" = "3005:3005 3005:3005 4000:4000 5000:5000" ]
  [ "$(grep -c CLONE_NEWUSER "$BUNDLE/trace")" -eq 2 ]
}

@test "what is refused" {
  only_tare
  volume
  mount_volume '{options: ["bind", "idmap"]}'
  local row
  # FILTER on the mount, MESSAGE
  while IFS='|' read -r filter message; do
    row=$(jq '.mounts[-1]' "$BUNDLE/config.json")
    config ".mounts[-1] |= ($filter)"
    run_rt run --bundle "$BUNDLE" "$ID"
    assert_error 1 "mounts[7] /v: $message"
    config '.mounts[-1] = $row' --argjson row "$row"
  done <<'ROWS'
.|idmap: needs uidMappings and gidMappings, for the container has no user namespace
.uidMappings = [{containerID: 0, hostID: 1, size: 1}]|uidMappings: needs gidMappings beside it
.gidMappings = [{containerID: 0, hostID: 1, size: 1}]|gidMappings: needs uidMappings beside it
ROWS
}

@test "maps that are none" {
  only_tare
  volume
  mount_volume '{options: ["bind"], uidMappings: [{containerID: 0, hostID: 1, size: 0}], gidMappings: [{containerID: 0, hostID: 1, size: 1}]}'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "mounts[7] /v: uidMappings[0]: 0 ids from 0 and 1 are no range of ids"
  config '.mounts[-1].uidMappings = [{containerID: 4294967295, hostID: 1, size: 4294967295}]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "are no range of ids"
  config '.mounts[-1].uidMappings = [range (341) | {containerID: ., hostID: ., size: 1}]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "more than the 340 ranges"
  # two that overlap: the kernel's to say
  config '.mounts[-1].uidMappings = [{containerID: 0, hostID: 1, size: 9}, {containerID: 3, hostID: 30, size: 9}]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "mounts[7] '/v': idmap: write '0 1 9"
  local option
  for option in idmap= idmap=uids idmap=uids=0-1 'idmap=uids=0-1-1' 'idmap=uids=0-1-1;gids=0-1-1x' \
    'idmap=uids=0--1-1;gids=0-1-1' 'idmap=uids=@0-0-1;gids=0-0-1' 'idmap=uids=0-0-99999999999;gids=0-0-1' \
    'idmap=gids=0-1-1;pids=0-1-1'; do
    config 'del (.mounts[-1].uidMappings, .mounts[-1].gidMappings) | .mounts[-1].options = ["bind", $o]' --arg o "$option"
    run_rt run --bundle "$BUNDLE" "$ID"
    assert_error 1 "mounts[7] /v: $option"
  done
  # a file system that cannot be idmapped, and one that is not a bind
  config '.mounts[-1] |= (.source = "/proc/sys/net" | .options = ["bind", "idmap=uids=0-1-1;gids=0-1-1"])'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "mounts[7] '/v': idmap: the file system of '/proc/sys/net' cannot be idmapped by this kernel: Invalid argument"
  config '.mounts[-1].type = "tmpfs" | .mounts[-1].options -= ["bind"]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "mounts[7] /v: idmap: only of bind mounts"
  assert_nothing_left
}
