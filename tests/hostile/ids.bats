#!/usr/bin/env bats
# Mappings of ids that no kernel takes, or that it would take in part; namespaces that are none, or
# not what they were: T36, T57. Either the container has exactly what its config says, or there is
# none.

load hostile

# A bundle of a container with ids of its own; mappings EXPRESSION of jq, for both kinds
make_mapped_bundle() {
  chmod 755 "$WORK"
  make_bundle "$@"
  config '.linux.namespaces += [{type: "user"}]'
}

map() {
  config ".linux.uidMappings = ($1) | .linux.gidMappings = .linux.uidMappings"
}

@test "T36: 340 mappings are in force, one by one; 341 and 20,000 are refused with the reason" {
  make_mapped_bundle cat /proc/self/uid_map /proc/self/gid_map
  chown -R 100000:100000 "$BUNDLE/rootfs"
  map '[{containerID: 0, hostID: 100000, size: 1}] + [range (1; 340) | {containerID: ., hostID: (2 * .), size: 1}]'
  run_it
  assert_success
  diff - <(awk '{ print $1, $2, $3 }' <<<"$output") < <(for _ in 1 2; do
    echo 0 100000 1
    for i in $(seq 339); do echo "$i $((2 * i)) 1"; done
  done)
  local count
  for count in 341 20000; do
    map "[range ($count) | {containerID: ., hostID: (100000 + .), size: 1}]"
    run_it
    assert_refused "linux.uidMappings: $count mappings are more than the kernel takes (340)"
  done
  # 340 of them, but with long numbers: less than a page is what the kernel reads
  map '[range (340) | {containerID: (1000000 + 2 * .), hostID: (1000000 + 2 * .), size: 1}] | .[0].containerID = 0'
  run_it
  assert_refused "linux.uidMappings: 340 mappings take"
  config '.linux.gidMappings = .linux.uidMappings | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1}]'
  run_it
  assert_refused "linux.gidMappings: 340 mappings take"
}

@test "T36: overlapping, empty and overflowing ranges, of either kind" {
  make_mapped_bundle true
  local mappings words
  while IFS='|' read -r mappings words; do
    map "$mappings"
    run_it
    assert_refused "Mappings$words" # of numbers that are none, the reader tells in its own order
    config '.linux.gidMappings = .linux.uidMappings | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 10}]'
    run_it
    assert_refused "linux.gidMappings$words"
  done <<'ROWS'
[{containerID: 0, hostID: 100000, size: 0}]|[0].size: is 0
[{containerID: 0, hostID: 1, size: 10}, {containerID: 9, hostID: 100, size: 1}]|[1].containerID: 9 and the 1 ids
[{containerID: 5, hostID: 1, size: 10}, {containerID: 0, hostID: 100, size: 6}]|[0].containerID: 5 and the 10 ids
[{containerID: 0, hostID: 1, size: 10}, {containerID: 10, hostID: 10, size: 1}]|[1].hostID: 10 and the 1 ids
[{containerID: 0, hostID: 1, size: 1}, {containerID: 0, hostID: 2, size: 1}]|[1].containerID
[{containerID: 0, hostID: 4294967295, size: 1}]|[0]: 0:4294967295 and 1 ids
[{containerID: 4294967295, hostID: 0, size: 1}]|[0]: 4294967295:0 and 1 ids
[{containerID: 0, hostID: 1, size: 4294967295}]|[0]: 0:1 and 4294967295 ids
[{containerID: 1, hostID: 0, size: 4294967295}]|[0]: 1:0 and 4294967295 ids
[{containerID: 4294967294, hostID: 4294967294, size: 2}]|[0]: 4294967294
[{containerID: 0, hostID: 100, size: 4294967296}]|[0].size
[{containerID: -1, hostID: 100, size: 1}]|[0].containerID
[{containerID: 0, hostID: 1.5, size: 1}]|[0].hostID
ROWS
}

@test "mappings without a user namespace, with one by path, of one kind alone: refused" {
  make_bundle true
  local good edit words
  good=$(cat "$BUNDLE/config.json")
  while IFS=@ read -r edit words; do
    jq "$edit" --argjson map '[{"containerID": 0, "hostID": 100000, "size": 10}]' <<<"$good" >"$BUNDLE/config.json"
    run_it
    assert_refused "$words"
  done <<'ROWS'
.linux.uidMappings = $map@linux.uidMappings: needs a new user namespace
.linux.gidMappings = $map@linux.gidMappings: needs a new user namespace
.linux.namespaces += [{type: "user", path: "/proc/self/ns/user"}] | .linux.uidMappings = $map@linux.uidMappings: the user namespace is joined by its path, and has mappings already
.linux.namespaces += [{type: "user"}]@linux.uidMappings: required for a new user namespace, but missing
.linux.namespaces += [{type: "user"}] | .linux.uidMappings = $map@linux.gidMappings: required for a new user namespace, but missing
ROWS
}

# ---- namespaces by path --------------------------------------------------------------------------

# run at each use of a path with KEY in it, with PAIR exchanged there; $runs says how often
exchanged() {
  local key=$1 pair=$2 n=1
  runs=0
  while true; do
    ln -sfn /proc/$$/ns/uts "$WORK/one"
    ln -sfn "$other" "$WORK/two"
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 run --separate-stderr timeout 120 "$(tool swap)" "$key" \
      "$n" "$BUNDLE/count" "$pair" -- "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
    [ "$status" -lt 124 ] || fail_with "exchanged at $n"
    assert_nothing_left
    if [ "$status" -eq 0 ]; then
      assert_output "$(readlink /proc/$$/ns/uts)"
    else
      assert_refused "not a uts namespace"
    fi
    runs=$((runs + 1))
    [ "$n" -le "$(cat "$BUNDLE/count")" ] || break
    n=$((n + 1))
  done
}

@test "T57: a path that leads to another namespace at the moment of its use: that one is checked" {
  make_bundle readlink /proc/self/ns/uts
  config '.linux.namespaces |= map (if .type == "uts" then .path = $path else . end) | del (.hostname)' --arg path "$WORK/one"
  local other=/proc/$$/ns/net runs
  exchanged one "$WORK/one:$WORK/two"
  [ "$runs" -ge 2 ] || fail_with "$runs runs"
}

@test "T57: descriptors, files, other kinds by links: no namespace of that kind" {
  make_bundle true
  config 'del (.hostname)'
  ln -sfn /proc/self/fd/0 "$WORK/link"
  local path words
  while read -r path words; do
    config '.linux.namespaces |= map (if .type == "uts" then .path = $path else . end)' --arg path "$path"
    run_it
    assert_refused "$words"
  done <<ROWS
$WORK/link no namespace
/proc/self/fd/0 no namespace
/proc/self/ns/pid_for_children not a uts namespace
/proc/self/root no namespace
/proc/self/ns no namespace
/dev/zero no namespace
ROWS
}

@test "a pid namespace whose process 1 is dead: said as such" {
  make_bundle true
  touch "$WORK/pid"
  unshare --pid="$WORK/pid" --fork true
  config '.linux.namespaces |= map (if .type == "pid" then .path = $path else . end)' --arg path "$WORK/pid"
  run_it
  umount "$WORK/pid"
  assert_refused "join pid namespace '$WORK/pid': its process 1 has ended"
}
