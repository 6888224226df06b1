#!/usr/bin/env bats
# linux.intelRdt, against a stand-in for the kernel's resctrl (tests/lib/resctrl.c): no machine of
# ours has such a CPU. It is mounted in a mount namespace of its own, where the runtime runs too.

load helpers
load inside

setup_file() {
  file_begin
  [ -w /dev/fuse ] || skip "this machine has no /dev/fuse for the stand-in"
  mkdir -p "$WORK/fs/cgroup" "$WORK/fs/resctrl"
  # shellcheck disable=SC2016
  unshare --mount --propagation private sh -c '
    mount --rbind /sys/fs/cgroup "$0/fs/cgroup" && mount --rbind "$0/fs" /sys/fs &&
      "$1" /sys/fs/resctrl >"$0/server" && : >"$0/ready" && exec sleep 100000' "$WORK" "$(tool resctrl)" \
    >"$WORK/log" 2>&1 3>&- &
  HOLDER=$!
  export HOLDER
  wait_until 30 test -e "$WORK/ready" || { cat "$WORK/log" >&2; return 1; }
}
teardown_file() {
  if [ -n "${HOLDER:-}" ]; then
    kill "$HOLDER" "$(cat "$WORK/server")"
    wait_until 30 no_holder
  fi
  file_end
}
no_holder() {
  ! grep -qsF "$TAG" /proc/[0-9]*/mountinfo
}
setup() {
  only_tare # others want the file system's magic number
  test_begin
}
teardown() {
  test_end
  rm -f "$WORK/result"
}

# there COMMAND...: in the namespace of the stand-in.
there() {
  nsenter --mount="/proc/$HOLDER/ns/mnt" -- "$@" 3>&-
}

# The runtime, there too.
rt() {
  there "$RUNTIME" --root "$ROOT" "$@"
}

# Bundle of a container that stays, with this linux.intelRdt.
rdt_bundle() {
  make_bundle sleep 1000
  config '.linux.intelRdt = $rdt' --argjson rdt "$1"
}

resctrl() {
  there cat "/sys/fs/resctrl/$1"
}

# Is the container's process in the group? Those of before may be there yet, as zombies.
has_task() {
  resctrl "$1/tasks" | grep -qx "$(pid_of "$ID")"
}

no_group() {
  ! there test -e "/sys/fs/resctrl/$1"
}

@test "without closID: a class of the container's name, which goes with it" {
  rdt_bundle '{"l3CacheSchema": "L3:0=7f0;1=1f", "memBwSchema": "MB:0=20;1=70"}'
  create
  has_task "$ID"
  [ "$(resctrl "$ID/schemata" | tr -d ' ')" = $'L3:0=7f0;1=1f\nMB:0=20;1=70' ]
  rt start "$ID"
  # of exec's too
  rt exec --detach --pid-file "$BUNDLE/pid" "$ID" sleep 1000 </dev/null >"$BUNDLE/out" 2>&1
  resctrl "$ID/tasks" | grep -qx "$(cat "$BUNDLE/pid")"
  rt delete --force "$ID"
  no_group "$ID"
  create # the name is free again
  rt delete --force "$ID"
  no_group "$ID"
}

@test "schemata: the lines in order, those of memBwSchema instead of the others' MB" {
  rdt_bundle '{"l3CacheSchema": "MB:0=10\nL3:0=1\n  L3:1=2  ", "memBwSchema": "MB:0=30", "schemata": ["L3:0=3;1=3", "MB:1=50"]}'
  create
  diff - <(resctrl "$ID/schemata" | tr -d ' ') <<'ROWS' >&2
L3:0=1
L3:1=2
MB:0=30
L3:0=3;1=3
MB:1=50
ROWS
}

@test "nothing to say: a class as it comes; no intelRdt: none" {
  rdt_bundle '{}'
  create
  has_task "$ID"
  [ "$(resctrl "$ID/schemata")" = "$(resctrl schemata)" ]
  rt delete --force "$ID"
  config 'del (.linux.intelRdt)'
  create
  no_group "$ID"
}

@test "closID: made where it is missing, and left; entered where it is there" {
  rdt_bundle '{"closID": "gold", "l3CacheSchema": "L3:0=f"}'
  create
  has_task gold
  rt delete --force "$ID"
  [ "$(resctrl gold/schemata | tr -d ' ')" = "L3:0=f" ]
  # the same in other words
  config '.linux.intelRdt = {closID: "gold", l3CacheSchema: "L3: 0=000F"}'
  create
  rt delete --force "$ID"
  config '.linux.intelRdt = {closID: "gold", l3CacheSchema: "L3:0=ff"}'
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "linux.intelRdt.closID: class 'gold' exists, with other schemata"
  assert_nothing_left
  config '.linux.intelRdt = {closID: "gold"}'
  create
  has_task gold
  rt delete --force "$ID"
  there test -e /sys/fs/resctrl/gold
  there rmdir /sys/fs/resctrl/gold
}

@test "closID /: the root's class" {
  rdt_bundle '{"closID": "/"}'
  create
  has_task .
  rt delete --force "$ID"
  config '.linux.intelRdt = {closID: "/", schemata: ["L3:0=1"]}'
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "class '/' exists, with other schemata"
}

@test "enableMonitoring: a group in mon_groups, entered by all, gone with the container" {
  rdt_bundle '{"closID": "/", "enableMonitoring": true}'
  create
  has_task "mon_groups/$ID"
  rt delete --force "$ID"
  no_group "mon_groups/$ID"
  config '.linux.intelRdt = {schemata: ["L3:0=1"], enableMonitoring: true}'
  create
  has_task "$ID/mon_groups/$ID"
  rt start "$ID"
  rt exec --detach --pid-file "$BUNDLE/pid" "$ID" sleep 1000 </dev/null >"$BUNDLE/out" 2>&1
  resctrl "$ID/mon_groups/$ID/tasks" | grep -qx "$(cat "$BUNDLE/pid")"
  rt delete --force "$ID"
  no_group "$ID"
  # that of somebody else stays
  there mkdir "/sys/fs/resctrl/mon_groups/$ID"
  config '.linux.intelRdt = {closID: "/", enableMonitoring: true}'
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "linux.intelRdt.enableMonitoring"
  there rmdir "/sys/fs/resctrl/mon_groups/$ID"
}

@test "what cannot be is refused with its reason, and nothing is left" {
  rdt_bundle '{}'
  local before rdt words
  before=$(there ls /sys/fs/resctrl)
  while read -r rdt words; do
    config '.linux.intelRdt = $rdt' --argjson rdt "$rdt"
    run_rt create --bundle "$BUNDLE" "$ID"
    assert_error 1 "$words"
    assert_nothing_left
    [ "$(there ls /sys/fs/resctrl)" = "$before" ] || fail_with "a group is left"
  done <<'LIST'
{"closID":"missing"} linux.intelRdt.closID: there is no class 'missing', nor schemata to make it with
{"closID":"bad","schemata":["L2:0=1"]} class 'bad': Unknown or unsupported resource name 'L2:0=1'
{"schemata":["L2:0=1"]} Unknown or unsupported resource name 'L2:0=1'
{"closID":"a/b"} linux.intelRdt.closID: 'a/b' is not the name of a class, or '/'
{"closID":".."} linux.intelRdt.closID: '..' is not the name of a class, or '/'
{"closID":"info"} linux.intelRdt.closID: 'info' is not the name of a class, or '/'
{"closID":""} linux.intelRdt.closID: '' is not the name of a class, or '/'
{"schemata":["L3:0=1\nMB:0=1"]} linux.intelRdt.schemata[0]
LIST
  # a later step fails
  config '.linux.intelRdt = {schemata: ["L3:0=1"], enableMonitoring: true} | .process.args = ["missing"]'
  EXPECT=127 run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 127 "missing"
  [ "$(there ls /sys/fs/resctrl)" = "$before" ] || fail_with "a group is left"
  # no more classes
  there mkdir /sys/fs/resctrl/{1,2,3}
  config '.process.args = ["true"]'
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "the CPU has no more of them"
  there rmdir /sys/fs/resctrl/{1,2,3}
  # a class of that name that is somebody else's
  there mkdir "/sys/fs/resctrl/$ID"
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "class '$ID' exists, and is not this container's"
  there rmdir "/sys/fs/resctrl/$ID"
}

@test "no resctrl mounted: an error that says so" {
  [ ! -e /sys/fs/resctrl/tasks ] || skip "this machine has a resctrl of its own"
  rdt_bundle '{}'
  run --separate-stderr "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" "$ID" 3>&-
  assert_error 1 "linux.intelRdt: no resctrl file system is mounted on '/sys/fs/resctrl'"
  assert_nothing_left
}
