#!/usr/bin/env bats
# The end of groups, where it takes long: processes that do not end, and hundreds of containers. What
# is the same in every layout, and so runs in one.

load helpers
load inside
load groups

teardown() {
  [ -z "${stuck:-}" ] || let_go
  test_end
}

let_go() {
  kill "$stuck" 2>/dev/null || true
  wait "$stuck" 2>/dev/null || true
  stuck=
  umount -l "$WORK/parent/fs" 2>/dev/null || true
}

in_disk_sleep() {
  [ "$(status_field State <"/proc/$1/status" | cut -c 1)" = D ]
}

@test "a process in an uninterruptible sleep: delete says which in bounded time, and works once it ends" {
  only_tare
  # a file system that answers nothing: with a signal its readers are in state D, SIGKILL or not
  mkdir -p "$WORK/parent/fs"
  "$(tool stuck)" "$WORK/parent/fs" >"$WORK/stuck.out" 2>&1 3>&- &
  stuck=$!
  wait_until 20 grep -q ready "$WORK/stuck.out"
  local first=$ID-init second=$ID-child init child
  make_bundle cat /stuck/fs/file
  config '.mounts += [{destination: "/stuck", type: "bind", source: $source, options: ["rbind"]}]' \
    --arg source "$WORK/parent"
  ID=$first create
  # without a pid namespace init's end does not wait for its children's
  config '.process.args = ["sh", "-c", "cat /stuck/fs/file & echo $! >/stuck/child; exec sleep 1000"]
          | .linux.namespaces |= map (select (.type != "pid"))
          | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
  ID=$second create
  rt start "$first"
  rt start "$second"
  init=$(pid_of "$first")
  wait_until 20 [ -s "$WORK/parent/child" ]
  child=$(<"$WORK/parent/child")
  is_cat() { [ "$(cat "/proc/$1/comm")" = cat ] && [ "$(cat "/proc/$1/wchan")" != 0 ]; }
  wait_until 20 is_cat "$init"
  wait_until 20 is_cat "$child"

  local pid
  timeout 100 "$RUNTIME" --root "$ROOT" delete --force "$first" >"$WORK/first" 2>&1 3>&- &
  pid=$!
  run_rt delete --force "$second"
  assert_error 1 "1 process(es) do not end, the first is $child"
  local result=0
  wait "$pid" || result=$?
  [ $result -eq 1 ]
  [ "$(cat "$WORK/first")" = "container init still running: process $init does not die" ] ||
    grep -q "process $init does not die" "$WORK/first"
  in_disk_sleep "$init"
  in_disk_sleep "$child"

  # nothing is forgotten: the records are there, and so is the way to the end
  [ -e "$ROOT/$first/state.json" ]
  [ -e "$ROOT/$second/state.json" ]
  let_go
  wait_until 20 rt delete --force "$first"
  wait_until 20 rt delete --force "$second"
  assert_nothing_left "$ID"
}

@test "200 containers created, listed, deleted: no group of any is left" {
  make_bundle true
  export -f rt
  export RUNTIME BUNDLE
  # shellcheck disable=SC2016
  seq 200 | xargs -P 6 -I{} bash -c 'rt create --bundle "$BUNDLE" "$0-{}" </dev/null >/dev/null 2>&1 3>&-' "$ID"
  [ "$(rt list -q | grep -c "^$ID-")" -eq 200 ]
  [ -n "$(cgroups_of "$ID-200")" ]
  # shellcheck disable=SC2016
  seq 200 | xargs -P 6 -I{} bash -c 'rt delete "$0-{}" 3>&-' "$ID"
  [ -z "$(cgroups_of "$ID")" ]
  [ -z "$(ls -A --ignore=.seccomp "$ROOT")" ]
}

@test "killed between making the group and opening it to all: delete --force takes it away" {
  only_tare
  make_bundle sleep 1000
  traced -f -qq -o /dev/null -e inject=fchmod:signal=KILL:when=1 "$RUNTIME" --root "$ROOT" create \
    --bundle "$BUNDLE" "$ID" </dev/null >"$WORK/out" 2>&1 3>&- || true
  [ -n "$(cgroups_of "$ID")" ]
  [ "$(stat -c %a "$(cgroups_of "$ID" | head -n 1)")" = 700 ]
  rt delete --force "$ID"
  assert_nothing_left
}

# Whoever can read the directory of a group that was there can lock it, and then nobody is let in: a
# new one is closed to all until it is claimed.
@test "a group that was there and that a stranger has locked: refused in one line, and free afterwards" {
  only_tare
  local group locker
  group=/sys/fs/cgroup/$TAG-locked
  is_v2 || group=$(awk -F: 'NR == 1 { sub ("name=", "", $2); print "/sys/fs/cgroup/" $2 }' /proc/self/cgroup)/$TAG-locked
  mkdir "$group"
  make_bundle true
  config '.linux.cgroupsPath = $path' --arg path "/$TAG-locked"
  setpriv --reuid 65534 --clear-groups flock "$group" sh -c "echo locked >&2; exec sleep 1000" 2>"$WORK/locked" 3>&- &
  locker=$!
  wait_until 10 grep -q locked "$WORK/locked"
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "is being taken by another container"
  pkill -P "$locker" # what it has started, at whose end it lets go
  wait "$locker" || true
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  [ ! -d "$group" ] || rmdir "$group"
  assert_nothing_left
}

# smallest RUNTIME: the smallest memory limit, in KiB, with which it runs /bin/true, in the v1 view:
# there is a memory controller on this machine, and every runtime works there. Halving the distance,
# each limit tried twice: what works once may be luck.
smallest() {
  local low=0 high=65536 middle
  while [ $((high - low)) -gt 4 ]; do
    middle=$(((low + high) / 8 * 4))
    config '.linux.resources.memory = {limit: $limit}' --argjson limit $((middle * 1024))
    if "$1" --root "$WORK/peers" run --bundle "$BUNDLE" "$ID-$middle" &&
      "$1" --root "$WORK/peers" run --bundle "$BUNDLE" "$ID-$middle"; then
      high=$middle
    else
      low=$middle
      "$1" --root "$WORK/peers" delete --force "$ID-$middle" || true
    fi
  done </dev/null >/dev/null 2>&1 3>&-
  echo "$high"
}

@test "the smallest memory limit with which /bin/true runs is not above that of crun and runc" {
  only_tare
  [ -z "${TARE_SANITIZED:-}" ] || skip "AddressSanitizer's shadow is part of what is measured; the ordinary build runs this"
  make_bundle true
  config '.ociVersion = "1.0.2"' # which older ones take, too
  export -f smallest config
  export BUNDLE ID
  local runtime found
  local -A least
  for runtime in "$RUNTIME" crun runc; do
    runtime=$(type -P "$runtime") || continue
    found=$("$TOP/tests/lib/cgroup-view" v1 bash -c 'smallest "$0"' "$runtime")
    echo "# ${runtime##*/}: $found KiB" >&3
    least[${runtime##*/}]=$found
  done
  [ "${least[tare]}" -lt 65536 ]
  [ "${least[tare]}" -le "${least[crun]:-65536}" ]
  [ "${least[tare]}" -le "${least[runc]:-65536}" ]
}
