#!/usr/bin/env bats
# Namespaces: each of the eight kinds, new and joined by path; what is no namespace of that kind;
# pods; ids and clocks of their own.
# views: v1 v2

load helpers
load inside

setup_file() {
  file_begin
  chmod 755 "$WORK" # an id of a user namespace goes through it
}
setup() {
  test_begin
  holder='' holder_job=''
}
teardown() {
  test_end
  release
}

release() {
  [ -z "$holder" ] || kill -KILL "$holder" 2>/dev/null || true # process 1 heeds no other signal
  [ -z "$holder_job" ] || wait "$holder_job" 2>/dev/null || true
  holder='' holder_job=''
}

file_of() {
  case $1 in
    network) echo net ;;
    mount) echo mnt ;;
    *) echo "$1" ;;
  esac
}

# ns_of PID KIND
ns_of() {
  readlink "/proc/$1/ns/$(file_of "$2")"
}

# hold OPTION...: a process in namespaces of its own, made by unshare(1); its pid in $holder
hold() {
  rm -f "$WORK/held"
  unshare "$@" --kill-child bash -c 'echo $$ >"$1"; exec sleep 1000' - "$WORK/held" </dev/null >/dev/null 2>&1 3>&- &
  holder_job=$!
  wait_until 5 test -s "$WORK/held"
  # with --fork, unshare waits for the one who is inside
  holder=$(pgrep -P $holder_job || echo $holder_job)
}

without() {
  config '.linux.namespaces |= map (select (.type as $t | $kinds | index ($t) | not))
          | if $kinds | index ("network") then .mounts |= map (select (.type != "sysfs" and .type != "cgroup")) else . end' \
    --argjson kinds "$(printf '%s\n' "$@" | jq -R . | jq -s .)"
}

# join KIND PATH
join() {
  without "$1"
  config '.linux.namespaces += [{type: $kind, path: $path}]' --arg kind "$1" --arg path "$2"
}

map_ids() {
  chown -R 100000:200000 "$BUNDLE/rootfs"
  config '.linux.namespaces += [{type: "user"}]
          | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
          | .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'
}

# ---- new -----------------------------------------------------------------------------------------

@test "all eight kinds new" {
  only_tare # the peer is older than time namespaces
  make_bundle sleep 100
  config '.linux.namespaces = [{type: "pid"}, {type: "network"}, {type: "mount"}, {type: "ipc"}, {type: "uts"},
                               {type: "cgroup"}, {type: "time"}]'
  map_ids
  create
  rt start "$ID"
  local pid kind seen=
  pid=$(pid_of "$ID")
  for kind in pid network mount ipc uts cgroup time user; do
    [ "$(ns_of "$pid" $kind)" != "$(ns_of self $kind)" ] || fail_with "$kind is the caller's"
  done
  rt delete --force "$ID"
  assert_nothing_left
}

@test "only a mount namespace: everything else is the caller's" {
  make_bundle sleep 100
  without pid network ipc uts cgroup
  config 'del (.hostname)'
  create
  rt start "$ID"
  local pid kind
  pid=$(pid_of "$ID")
  for kind in pid network ipc uts cgroup time user; do
    [ "$(ns_of "$pid" $kind)" = "$(ns_of self $kind)" ] || fail_with "$kind is not the caller's"
  done
  [ "$(ns_of "$pid" mount)" != "$(ns_of self mount)" ]
  rt delete --force "$ID"
}

@test "without a pid namespace: what the program left behind goes with the container" {
  make_bundle sh -c 'setsid sleep 1000 & setsid sleep 1000 & echo ready; exec sleep 1000'
  without pid
  create
  rt start "$ID"
  wait_until 5 grep -q ready "$BUNDLE/out"
  rt kill "$ID" KILL
  wait_until 5 has_status "$ID" stopped
  rt delete "$ID"
  assert_nothing_left
  [ -z "$(processes_of "$BUNDLE")" ]
}

@test "a cgroup namespace: its root is the container's own group" {
  make_bundle cat /proc/self/cgroup
  without cgroup
  config '.linux.namespaces += [{type: "cgroup"}]'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  local line
  for line in "${lines[@]}"; do
    if [ "$(cgroup_version)" = 2 ] && [[ $line != 0::* ]]; then
      continue # a v1 hierarchy of the machine that this view does not show
    fi
    [[ $line == *:/ ]] || ! is_tare || fail_with "$line"
  done
}

# ---- joined --------------------------------------------------------------------------------------

@test "joined by path: network, ipc, uts, cgroup" {
  hold --net --ipc --uts --cgroup
  make_bundle sleep 100
  config 'del (.hostname)'
  local kind
  for kind in network ipc uts cgroup; do
    join $kind "/proc/$holder/ns/$(file_of $kind)"
  done
  create
  for kind in network ipc uts cgroup; do
    [ "$(ns_of "$(pid_of "$ID")" $kind)" = "$(ns_of "$holder" $kind)" ] || fail_with "$kind was not joined"
  done
  [ "$(ns_of "$(pid_of "$ID")" mount)" != "$(ns_of "$holder" mount)" ]
  rt start "$ID"
  rt delete --force "$ID"
  assert_nothing_left
}

@test "joined by a path that is a mounted file, as ip netns makes it" {
  touch "$WORK/net"
  unshare --net="$WORK/net" true
  make_bundle readlink /proc/self/ns/net
  join network "$WORK/net"
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  local inode
  inode=$(stat -c %i "$WORK/net")
  umount "$WORK/net"
  assert_output "net:[$inode]"
}

@test "joined by path: pid; the program is a child of nobody inside, and its status is told" {
  hold --pid --fork --mount-proc
  make_bundle sh
  join pid "/proc/$holder/ns/pid"
  inside 'echo "$$ $(cut -d " " -f 4 /proc/self/stat) $(tr "\0" " " </proc/1/cmdline)"'
  [[ $output =~ ^[0-9]+\ [0-9]+\ (bash\ -c|sleep\ 1000).*$ ]] || fail_with "another process 1"
  [[ $output != "1 "* ]]
  config '.process.args = ["sh", "-c", "exit 7"]'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$status" -eq 7 ]
  config '.process.args = ["sleep", "100"]'
  create
  rt start "$ID"
  [ "$(ns_of "$(pid_of "$ID")" pid)" = "$(ns_of "$holder" pid)" ]
  rt kill "$ID" KILL
  wait_until 5 has_status "$ID" stopped
  rt delete "$ID"
  kill -0 "$holder"
  assert_nothing_left
}

@test "joined by path: time" {
  only_tare
  hold --time --monotonic 5000 --fork
  make_bundle sh
  join time "/proc/$holder/ns/time"
  inside 'readlink /proc/self/ns/time; cat /proc/self/timens_offsets'
  [ "${lines[0]}" = "$(ns_of "$holder" time)" ]
  [[ ${lines[1]} =~ ^monotonic\ +5000\ +0$ ]]
}

@test "joined by path: user, and what it owns" {
  only_tare # the peer needs mappings here, too
  hold --user --net --uts
  echo 0 100000 65536 >"/proc/$holder/uid_map"
  echo 0 200000 65536 >"/proc/$holder/gid_map"
  make_bundle sh
  chown -R 100000:200000 "$BUNDLE/rootfs"
  config 'del (.hostname)'
  join user "/proc/$holder/ns/user"
  join network "/proc/$holder/ns/net"
  join uts "/proc/$holder/ns/uts"
  inside 'for n in user net uts; do readlink /proc/self/ns/$n; done; cat /proc/self/uid_map'
  [ "${lines[0]}" = "$(ns_of "$holder" user)" ]
  [ "${lines[1]}" = "$(ns_of "$holder" network)" ]
  [ "${lines[2]}" = "$(ns_of "$holder" uts)" ]
  [[ ${lines[3]} =~ ^\ +0\ +100000\ +65536$ ]]
}

@test "joined by path: mount; the root is the bundle's, the namespace stays as it was" {
  only_tare # the peer turns the root of the other namespace
  hold --mount
  make_bundle sh
  config '.mounts = [] | .root.readonly = false | del (.linux.maskedPaths, .linux.readonlyPaths)'
  join mount "/proc/$holder/ns/mnt"
  mkdir "$BUNDLE/rootfs/proc" 2>/dev/null || true
  local before
  before=$(cat "/proc/$holder/mountinfo")
  config '.process.args = ["sleep", "100"]'
  create
  rt start "$ID"
  [ "$(ns_of "$(pid_of "$ID")" mount)" = "$(ns_of "$holder" mount)" ]
  [ "$(readlink "/proc/$(pid_of "$ID")/root")" = "$BUNDLE/rootfs" ]
  rt delete --force "$ID"
  [ "$(cat "/proc/$holder/mountinfo")" = "$before" ] || fail_with "$(diff <(echo "$before") "/proc/$holder/mountinfo")"
  assert_nothing_left
}

@test "what is bound of /proc/self/ns is the container's, whatever comes before" {
  make_bundle sh -c 'readlink /proc/self/ns/net; readlink /proc/self/ns/uts; stat -c %i /net /uts'
  config '.mounts = ([["net", "/net"], ["uts", "/uts"]]
          | map ({destination: .[1], type: "bind", source: ("/proc/self/ns/" + .[0]), options: ["bind"]})) + .mounts'
  run_rt run --bundle "$BUNDLE" "$ID"
  [ "$status" -eq 0 ]
  [ "${lines[0]} ${lines[1]}" = "net:[${lines[2]}] uts:[${lines[3]}]" ]
  [ "${lines[0]}" != "$(readlink /proc/self/ns/net)" ]
}

@test "the caller's own namespaces by path are the same as none" {
  make_bundle sleep 100
  config 'del (.hostname)'
  local kind
  for kind in network ipc uts pid; do
    join $kind "/proc/$$/ns/$(file_of $kind)"
  done
  create
  for kind in network ipc uts pid; do
    [ "$(ns_of "$(pid_of "$ID")" $kind)" = "$(ns_of self $kind)" ] || fail_with "$kind"
  done
  rt delete --force "$ID"
}

# ---- what cannot be joined -----------------------------------------------------------------------

# refused WORDS: at once, with one line
refused() {
  local verb
  for verb in create run; do
    run --separate-stderr timeout 5 "$RUNTIME" --root "$ROOT" "$verb" --bundle "$BUNDLE" "$ID" </dev/null 3>&-
    if is_tare; then
      assert_error 1 "$1"
      [[ $stderr == *"$2"* ]] || fail_with "it does not name '$2'"
    else
      [ "$status" -ne 0 ] || fail_with "$verb succeeds"
      rt delete --force "$ID" 2>/dev/null || true
    fi
    assert_nothing_left
  done
}

@test "a path that is missing, a file, a directory, a device" {
  make_bundle true
  config 'del (.hostname)'
  touch "$BUNDLE/file"
  local kind path
  for kind in network ipc uts pid cgroup mount time user; do
    is_tare || [ $kind != time ] || continue
    join $kind "$BUNDLE/missing"
    refused "No such file or directory" "$BUNDLE/missing"
    for path in "$BUNDLE/file" "$BUNDLE" /dev/null; do
      join $kind "$path"
      refused "no namespace" "$path"
    done
    without $kind
    [ $kind != mount ] || config '.linux.namespaces += [{type: "mount"}]'
  done
}

@test "a FIFO: refused at once, whether or not somebody writes" {
  only_tare # the peer waits for a writer
  make_bundle true
  mkfifo "$BUNDLE/fifo"
  join network "$BUNDLE/fifo"
  refused "no namespace" "$BUNDLE/fifo"
  exec 8<>"$BUNDLE/fifo"
  refused "no namespace" "$BUNDLE/fifo"
  exec 8>&-
}

@test "a namespace of another kind" {
  make_bundle true
  config 'del (.hostname)'
  local kind other
  while read -r kind other; do
    join "$kind" "/proc/self/ns/$other"
    refused "not a $kind namespace" "/proc/self/ns/$other"
    without "$kind"
    [ "$kind" != mount ] || config '.linux.namespaces += [{type: "mount"}]'
  done <<'ROWS'
network ipc
ipc net
uts user
pid mnt
cgroup pid
mount uts
user net
ROWS
}

@test "a relative path, an empty one, two of a kind, an unknown kind" {
  only_tare
  make_bundle true
  local good edit words
  good=$(cat "$BUNDLE/config.json")
  while IFS='|' read -r edit words; do
    jq ".linux.namespaces += $edit" <<<"$good" >"$BUNDLE/config.json"
    run_rt create --bundle "$BUNDLE" "$ID" </dev/null
    assert_error 1 "$words"
  done <<'ROWS'
[{"type": "time", "path": "proc/self/ns/time"}]|absolute
[{"type": "pid"}]|linux.namespaces
[{"type": "netwrk"}]|is not one of
ROWS
  assert_nothing_left
}

# ---- a pod ---------------------------------------------------------------------------------------

@test "a pod: a second container shares the first one's pid, network, ipc and uts" {
  make_bundle sh -c 'sleep 1000 & echo ready; wait'
  config '.hostname = "pod"'
  create
  rt start "$ID"
  wait_until 5 grep -q ready "$BUNDLE/out"
  local first=$ID first_pid kind
  first_pid=$(pid_of "$ID")

  BUNDLE=$BUNDLE-second
  ID=$ID-second
  make_bundle sleep 100
  config 'del (.hostname)'
  for kind in pid network ipc uts; do
    join $kind "/proc/$first_pid/ns/$(file_of $kind)"
  done
  inside 'hostname; ls /proc | grep -c "^[0-9]"; kill -0 1 && echo reached; readlink /proc/self/ns/ipc'
  [ "${lines[0]}" = pod ]
  [ "${lines[1]}" -ge 4 ]
  [ "${lines[2]}" = reached ]
  [ "${lines[3]}" = "$(ns_of "$first_pid" ipc)" ]

  # each ends without the other, while the namespaces live
  config '.process.args = ["sh", "-c", "setsid sleep 1000 & exec sleep 1000"]'
  create
  rt start "$ID"
  rt delete --force "$ID"
  [ -z "$(processes_of "$BUNDLE")" ] || fail_with "$(processes_of "$BUNDLE")"
  [ "$(status_of "$first")" = running ]

  # process 1 of the namespace ends, so do all
  create
  rt start "$ID"
  rt delete --force "$first"
  wait_until 5 has_status "$ID" stopped
  rt delete "$ID"
  rm -r "$BUNDLE"
  assert_nothing_left "$first"
}

# ---- user namespaces -----------------------------------------------------------------------------

@test "user: ids are mapped; root inside, nobody outside" {
  make_bundle sh -c 'cat /proc/self/uid_map /proc/self/gid_map; id -u; id -g; touch /made; stat -c "%u:%g" /made; sleep 100'
  config '.root.readonly = false'
  map_ids
  create
  rt start "$ID"
  wait_until 5 test "$(grep -c . "$BUNDLE/out")" -ge 0
  wait_until 5 grep -q : "$BUNDLE/out"
  diff - <(tr -s ' ' <"$BUNDLE/out" | sed 's/^ //') <<'ROWS' >&2
0 100000 65536
0 200000 65536
0
0
0:0
ROWS
  [ "$(status_field Uid <"/proc/$(pid_of "$ID")/status")" = "100000 100000 100000 100000" ]
  [ "$(status_field Gid <"/proc/$(pid_of "$ID")/status")" = "200000 200000 200000 200000" ]
  [ "$(stat -c %u:%g "$BUNDLE/rootfs/made")" = 100000:200000 ]
  rt delete --force "$ID"
  assert_nothing_left
}

@test "user: devices are there and work, masks hold, capabilities are the config's" {
  make_bundle sh
  map_ids
  inside 'cd /dev; for f in null zero full random urandom tty; do stat -c "%n %F %t:%T %a" $f; done; echo x >/dev/null; head -c 2 /dev/zero | wc -c
    cat /proc/keys | wc -c; ls /sys/firmware | wc -l; grep CapEff /proc/self/status; grep NoNew /proc/self/status; mknod /dev/x c 1 3 2>/dev/null || echo refused'
  diff - <(head -6 <<<"$output") <<'ROWS' >&2
null character special file 1:3 666
zero character special file 1:5 666
full character special file 1:7 666
random character special file 1:8 666
urandom character special file 1:9 666
tty character special file 5:0 666
ROWS
  [ "${lines[6]}" = 2 ]
  [ ! -e /proc/keys ] || [ "${lines[7]}" = 0 ]
  [[ $output == *refused* ]]
  [[ $output == *$'NoNewPrivs:\t1'* ]]
}

@test "user: an ordinary user of it, with groups" {
  make_bundle cat /proc/self/status
  map_ids
  config '.process.user = {uid: 1000, gid: 1001, additionalGids: [5, 7]}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [ "$(status_field Uid <<<"$output")" = "1000 1000 1000 1000" ]
  [ "$(status_field Gid <<<"$output")" = "1001 1001 1001 1001" ]
  [ "$(status_field Groups <<<"$output")" = "5 7" ]
}

@test "user: an id that is not mapped" {
  make_bundle true
  map_ids
  config '.process.user.uid = 70000'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$status" -eq 1 ]
  assert_nothing_left
  only_tare
  assert_error 1 "process.user"
}

@test "user: with a joined network, and clocks of its own" {
  only_tare
  hold --net
  make_bundle sh
  map_ids
  join network "/proc/$holder/ns/net"
  config '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {monotonic: {secs: 77, nanosecs: 5}}'
  inside 'readlink /proc/self/ns/net; cat /proc/self/timens_offsets; id -u'
  [ "${lines[0]}" = "$(ns_of "$holder" network)" ]
  [[ ${lines[1]} =~ ^monotonic\ +77\ +5$ ]]
  [ "${lines[-1]}" = 0 ]
}

@test "user: mappings that the kernel refuses" {
  make_bundle true
  map_ids
  config '.linux.uidMappings += [{containerID: 10, hostID: 1, size: 5}]' # they overlap
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  [ "$status" -eq 1 ]
  is_tare && assert_error 1 "uid"
  assert_nothing_left
}

# ---- clocks --------------------------------------------------------------------------------------

@test "time: offsets of both clocks, and of one; also negative" {
  only_tare
  make_bundle sh
  config '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 1000000}, monotonic: {secs: -1, nanosecs: 500}}'
  inside 'cat /proc/self/timens_offsets; cut -d . -f 1 /proc/uptime'
  [[ ${lines[0]} =~ ^monotonic\ +-1\ +500$ ]]
  [[ ${lines[1]} =~ ^boottime\ +1000000\ +0$ ]]
  [ "${lines[2]}" -ge 1000000 ]
  config '.linux.timeOffsets = {boottime: {secs: 5}}'
  inside 'cat /proc/self/timens_offsets'
  [[ ${lines[0]} =~ ^monotonic\ +0\ +0$ ]]
  [[ ${lines[1]} =~ ^boottime\ +5\ +0$ ]]
}

@test "time: offsets that cannot be, and without a new namespace" {
  only_tare
  make_bundle true
  config '.linux.timeOffsets = {boottime: {secs: 5}}'
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "linux.timeOffsets"
  config '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {monotonic: {secs: -1000000000}}'
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "linux.timeOffsets"
  assert_nothing_left
}
