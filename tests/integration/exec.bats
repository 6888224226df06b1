#!/usr/bin/env bats
# exec: a further process of a container is like the first: its namespaces, groups, limits, filter;
# and only what was asked for is different.
# views: v1 v2

load helpers
load inside

FAULTY=${top_builddir:-$TOP/build}/tests/tare-faults

# A running container that waits; $1: an edit of its config.
begin() {
  [ -d "$BUNDLE" ] || make_bundle sleep 1000
  [ $# -eq 0 ] || config "$@"
  rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&- || { cat "$BUNDLE/out" >&2; return 1; }
}

# What a program says that exec runs; fails if it does.
exec_in() {
  run_rt exec "$@" </dev/null
  assert_success
}

# Everybody in the container's group, but for its init.
others() {
  rt ps --format json "$ID" | jq -r --argjson init "$(pid_of "$ID")" '.[] | select(. != $init)'
}

no_others() {
  [ -z "$(others)" ]
}

# A name of /proc/PID/status
field() {
  sed -n "s/^$1:[[:space:]]*//p" <<<"$output"
}

# ---- the process ---------------------------------------------------------------------------------

@test "output, errors and status" {
  begin
  run_rt exec "$ID" sh -c 'echo out; echo err >&2; exit 7'
  [ "$status" -eq 7 ]
  assert_output out
  [ "$stderr" = err ]
  [ "$(status_of "$ID")" = running ]
}

@test "standard input" {
  begin
  run bash -c 'echo hello | "$@"' - "$RUNTIME" --root "$ROOT" exec "$ID" cat 3>&-
  assert_success
  assert_output hello
}

@test "options of the program are not ours" {
  begin
  exec_in "$ID" echo -d --tty -- -u 5
  assert_output "-d --tty -- -u 5"
}

@test "a program killed by a signal gives 128 + its number" {
  begin
  run_rt exec "$ID" sh -c 'kill -TERM $$; sleep 10'
  [ "$status" -eq 143 ]
}

@test "signals are forwarded" {
  begin
  "$RUNTIME" --root "$ROOT" exec "$ID" sh -c 'trap "echo got TERM; exit 9" TERM; echo ready
    while :; do sleep 0.1; done' >"$BUNDLE/said" 3>&- &
  local exec=$! result=0
  wait_until 30 grep -q ready "$BUNDLE/said"
  kill -TERM $exec
  wait $exec || result=$?
  [ "$result" -eq 9 ]
  grep -q "got TERM" "$BUNDLE/said"
}

@test "a signal that comes while we wait to hear that the program runs goes to the program" {
  only_tare
  begin
  traced -qq -o /dev/null -e trace=poll -e inject=poll:delay_enter=700000 \
    sh -c 'echo $$ >"$0"; exec "$@"' "$BUNDLE/pid" "$RUNTIME" --root "$ROOT" exec "$ID" \
    sh -c 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done' >"$BUNDLE/said" 3>&- &
  local strace=$! result=0
  wait_until 30 grep -q ready "$BUNDLE/said"
  kill -TERM "$(cat "$BUNDLE/pid")"
  wait $strace || result=$?
  [ "$result" -eq 9 ]
}

@test "no signal is blocked or ignored, whatever the caller does" {
  begin
  exec_in "$ID" grep -E '^Sig(Blk|Ign)' /proc/self/status
  [ "$(field SigBlk)" = 0000000000000000 ]
  [ "$(field SigIgn)" = 0000000000000000 ]
}

@test "the working directory is / unless it is said" {
  begin '.process.cwd = "/bin"'
  exec_in --cwd /proc/sys "$ID" pwd
  assert_output /proc/sys
  only_tare # runc takes that of the bundle's config.json
  exec_in "$ID" pwd
  assert_output /
}

@test "a working directory that is not there, or the host's" {
  begin
  run_rt exec --cwd /nowhere "$ID" true
  assert_error 255 "/nowhere"
  only_tare
  local n
  exec 9</
  for n in 3 4 5 6 7 8 9 10 11 12; do
    run_rt exec --cwd "/proc/self/fd/$n" "$ID" cat /etc/hostname
    assert_error 255 "process.cwd: chdir '/proc/self/fd/$n'"
  done
  exec 9<&-
}

@test "environment: the container's, with what is set put in its place, once" {
  begin '.process.env += ["A=1", "B=2"]'
  exec_in -e A=3 -e C=4 -e C=5 "$ID" sh -c 'tr "\0" "\n" </proc/$$/environ | grep "^[ABC]="'
  [ "$(sort <<<"$output")" = $'A=3\nB=2\nC=5' ]
  only_tare
  run_rt exec -e NOVALUE "$ID" true
  assert_error 255 'process.env'
}

@test "HOME comes from the container's passwd" {
  begin '.process.env = ["PATH=/bin"]'
  mkdir -p "$BUNDLE/rootfs/etc"
  printf 'root:x:0:0::/root:/bin/sh\n5:x:7:7::/wrong:/bin/sh\nuser:x:5:5::/home/user:/bin/sh\n' >"$BUNDLE/rootfs/etc/passwd"
  exec_in -u 5 "$ID" sh -c 'echo $HOME'
  assert_output /home/user
}

# That the time is linear: linear.bats.
@test "forty thousand variables arrive" {
  only_tare
  begin
  awk 'BEGIN { printf "{\"cwd\": \"/\", \"args\": [\"env\"], \"env\": [\"PATH=/bin\""
               for (i = 0; i < 40000; i++) printf ", \"V%d=%d\"", i, i
               print "]}" }' >"$BUNDLE/process.json"
  rt exec --process "$BUNDLE/process.json" -e V39999=x "$ID" </dev/null >"$BUNDLE/env"
  [ "$(grep -c '^V[0-9]*=' "$BUNDLE/env")" -eq 40000 ]
  grep -qx V39998=39998 "$BUNDLE/env"
  grep -qx V39999=x "$BUNDLE/env"
}

# ---- identity ------------------------------------------------------------------------------------

@test "T41: --user: numbers, or nothing" {
  only_tare
  begin '.process.user = {uid: 7, gid: 8, additionalGids: [9]}'
  exec_in "$ID" id
  assert_output "uid=7 gid=8 groups=9"
  exec_in -u 1 "$ID" id
  assert_output "uid=1 gid=8 groups=9"
  exec_in -u 1:2 "$ID" id
  assert_output "uid=1 gid=2 groups=9"
  exec_in -u 0:1 "$ID" id
  assert_output "uid=0 gid=1 groups=9"
  exec_in -u 4294967294:4294967294 "$ID" id
  assert_output "uid=4294967294 gid=4294967294 groups=9"
  local bad
  for bad in :2 1: -1 4294967295 4294967296 18446744073709551616 1x " 1" "1 " +1 0x1 1e3 root 1:x 1:2:3 1:-1 1:4294967295; do
    run_rt exec -u "$bad" "$ID" id
    assert_error 255 "option '--user': '$bad'"
  done
}

@test "--additional-gids" {
  begin
  exec_in -g 17 -g 18 "$ID" id -G
  assert_output "0 17 18"
  only_tare
  local bad
  for bad in -1 4294967295 x ""; do
    run_rt exec -g "$bad" "$ID" id
    assert_error 255 "option '--additional-gids': '$bad'"
  done
}

@test "capabilities are the container's; --cap adds, and nothing is inheritable unasked" {
  begin '.process.capabilities = {bounding: ["CAP_KILL"], effective: ["CAP_KILL"], permitted: ["CAP_KILL"]}'
  exec_in "$ID" grep ^Cap /proc/self/status
  [ "$(field CapEff)" = 0000000000000020 ]
  [ "$(field CapBnd)" = 0000000000000020 ]
  exec_in --cap CAP_CHOWN "$ID" grep ^Cap /proc/self/status
  [ "$(field CapBnd)" = 0000000000000021 ]
  [ "$(field CapPrm)" = 0000000000000021 ]
  [ "$(field CapEff)" = 0000000000000021 ]
  [ "$(field CapInh)" = 0000000000000000 ]
  [ "$(field CapAmb)" = 0000000000000000 ]
}

@test "--cap with an inheritable set: no more is ambient than is inheritable" {
  only_tare
  begin '.process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN"], effective: ["CAP_KILL"],
           permitted: ["CAP_KILL"], inheritable: ["CAP_CHOWN"]}'
  exec_in -c CAP_CHOWN -c CAP_FOWNER "$ID" grep ^Cap /proc/self/status
  [ "$(field CapInh)" = 0000000000000001 ]
  [ "$(field CapAmb)" = 0000000000000001 ]
  [ "$(field CapBnd)" = 0000000000000029 ]
}

@test "a user who is not root has no capabilities, but may be given them" {
  only_tare
  begin
  exec_in -u 5 "$ID" grep ^Cap /proc/self/status
  [ "$(field CapEff)" = 0000000000000000 ] || [ "$(field CapAmb)" != 0000000000000000 ]
}

@test "no_new_privs: the container's, or as it is said" {
  begin '.process.noNewPrivileges = true'
  exec_in "$ID" grep ^NoNewPrivs /proc/self/status
  [ "$(field NoNewPrivs)" = 1 ]
  exec_in --no-new-privs=false "$ID" grep ^NoNewPrivs /proc/self/status
  [ "$(field NoNewPrivs)" = 0 ]
  rt delete --force "$ID"
  rm -rf "$BUNDLE"
  begin '.process.noNewPrivileges = false'
  exec_in "$ID" grep ^NoNewPrivs /proc/self/status
  [ "$(field NoNewPrivs)" = 0 ]
  exec_in --no-new-privs "$ID" grep ^NoNewPrivs /proc/self/status
  [ "$(field NoNewPrivs)" = 1 ]
}

@test "T46: labels are refused where they cannot be had" {
  only_tare
  begin
  run_rt exec --apparmor some "$ID" true
  assert_error 255 "process.apparmorProfile"
  run_rt exec --process-label some "$ID" true
  assert_error 255 "process.selinuxLabel"
}

@test "umask: the caller's, or the config's" {
  only_tare # runc: 0022 whatever the caller has
  begin
  run bash -c 'umask 027; exec "$@"' - "$RUNTIME" --root "$ROOT" exec "$ID" sh -c umask 3>&-
  assert_output 0027
  rt delete --force "$ID"
  rm -rf "$BUNDLE"
  begin '.process.user.umask = 63'
  exec_in "$ID" sh -c umask
  assert_output 0077
}

@test "resource limits" {
  begin '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}, {type: "RLIMIT_CORE", soft: 0, hard: 0}]'
  exec_in "$ID" sh -c 'ulimit -Hn; ulimit -c'
  assert_output $'200\n0'
  only_tare # Go raises the soft limit for itself
  exec_in "$ID" sh -c 'ulimit -n'
  assert_output 100
}

@test "oom_score_adj" {
  begin '.process.oomScoreAdj = 100'
  exec_in "$ID" cat /proc/self/oom_score_adj
  assert_output 100
}

@test "seccomp: the container's filter, early and late" {
  local privileges
  for privileges in true false; do
    begin ".process.noNewPrivileges = $privileges
      | .linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", architectures: [\"SCMP_ARCH_X86_64\"],
                          syscalls: [{names: [\"mkdir\", \"mkdirat\"], action: \"SCMP_ACT_ERRNO\", errnoRet: 93}]}"
    exec_in "$ID" grep -E '^Seccomp:' /proc/self/status
    [ "$(field Seccomp)" = 2 ]
    run_rt exec "$ID" mkdir /dev/x
    [ "$status" -eq 1 ]
    [[ $stderr == *"Protocol not supported"* ]]
    rt delete --force "$ID"
    rm -rf "$BUNDLE"
  done
}

# ---- the container -------------------------------------------------------------------------------

links() {
  local name
  for name in user mnt pid net ipc uts time cgroup; do
    readlink "/proc/$1/ns/$name" || true
  done
}

@test "namespaces, root and groups are those of the container" {
  begin
  rt exec --detach --pid-file "$BUNDLE/pid" "$ID" sleep 100 </dev/null >"$BUNDLE/out" 2>&1 3>&-
  local pid init
  pid=$(cat "$BUNDLE/pid")
  init=$(pid_of "$ID")
  [ "$(links "$pid")" = "$(links "$init")" ]
  [ "$(cat "/proc/$pid/cgroup")" = "$(cat "/proc/$init/cgroup")" ]
  [ "$(cat "/proc/$pid/mountinfo")" = "$(cat "/proc/$init/mountinfo")" ]
  [ "$(stat -Lc %d:%i "/proc/$pid/root")" = "$(stat -Lc %d:%i "/proc/$init/root")" ]
  grep -q '^NSpid:.*[[:space:]]2$' "/proc/$pid/status" || grep -q '^NSpid:.*[[:space:]][0-9]*$' "/proc/$pid/status"
  [[ " $(rt ps --format json "$ID" | jq -r 'join(" ")') " == *" $pid "* ]]
}

@test "namespaces that are the host's stay so" {
  only_tare
  begin 'del(.linux.namespaces[] | select(.type == "network" or .type == "ipc" or .type == "pid" or .type == "uts")) | del(.hostname)
         | .linux.readonlyPaths = [] | .mounts |= map(select(.type != "sysfs" and .type != "mqueue"))'
  exec_in "$ID" sh -c 'readlink /proc/self/ns/net; readlink /proc/self/ns/pid'
  [ "$output" = "$(readlink /proc/self/ns/net; readlink /proc/self/ns/pid)" ]
}

@test "a user namespace" {
  chmod 755 "$WORK"
  make_bundle sleep 1000
  chown -R 100000:100000 "$BUNDLE/rootfs"
  begin '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
         | .linux.gidMappings = .linux.uidMappings'
  exec_in "$ID" sh -c 'id -u; cat /proc/self/uid_map | tr -s " "'
  assert_output $'0\n 0 100000 65536'
  rt exec --detach -u 5:6 --pid-file "$BUNDLE/pid" "$ID" sleep 100 </dev/null >"$BUNDLE/out" 2>&1 3>&-
  local pid
  pid=$(cat "$BUNDLE/pid")
  [ "$(stat -c %u:%g "/proc/$pid")" = 100005:100006 ]
  [ "$(links "$pid")" = "$(links "$(pid_of "$ID")")" ]
  exec_in "$ID" cat /proc/self/setgroups
  assert_output allow
}

@test "a time namespace" {
  only_tare # the control is older than these
  begin '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 1000000}}'
  exec_in "$ID" cut -d. -f1 /proc/uptime
  [ "$output" -gt 1000000 ]
}

@test "a container without pivot_root: its root all the same" {
  make_bundle sleep 1000
  touch "$BUNDLE/rootfs/inside"
  rt run --detach --no-pivot --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
  exec_in "$ID" sh -c 'ls /inside; ls /../inside; cd ..; ls inside'
  assert_output $'/inside\n/../inside\ninside'
  only_tare
  exec_in "$ID" sh -c 'ls /proc/self/fd | wc -l; ls -d /tmp /root 2>/dev/null || true'
  assert_output 4
}

@test "a created container, which then starts" {
  make_bundle sh -c 'cat /dev/shm/made; sleep 100'
  rt create --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
  exec_in "$ID" sh -c 'echo $$; echo hello >/dev/shm/made'
  [ "$output" -gt 1 ]
  [ "$(status_of "$ID")" = created ]
  rt start "$ID"
  [ "$(status_of "$ID")" = running ]
  wait_until 30 grep -q hello "$BUNDLE/out"
}

# A group "sub" below each of the container's; a cpuset of v1 begins without processors.
make_sub_groups() {
  local group file
  for group in $(groups_of); do
    [ -e "$group/cgroup.procs" ] || continue
    mkdir "$group/sub"
    for file in cpuset.mems cpuset.cpus; do
      [ ! -e "$group/sub/$file" ] || cat "$group/$file" >"$group/sub/$file" 2>/dev/null || true
    done
  done
}

# Every option that either family has, at once; where the container only waits for its start.
@test "a created container: the union of the options" {
  only_tare
  make_bundle sleep 1000
  config '.process.user.additionalGids = [5]'
  rt create --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
  make_sub_groups
  echo kept >"$BUNDLE/3"
  timeout 120 "$(tool notify)" pidfd "$BUNDLE/pidfd" "$BUNDLE/rootfs/received" >/dev/null 2>&1 3>&- &
  local receiver=$!
  wait_until 30 [ -S "$BUNDLE/pidfd" ]
  jq -n '{args: ["sh", "-c", "id; pwd; echo $A $B; cat <&3; grep -E \"^(CapPrm|NoNewPrivs)\" /proc/self/status; [ -t 0 ] || echo no tty; until [ -s /received ]; do sleep 0.1; done; exit 7"],
    cwd: "/", env: ["PATH=/bin", "A=1", "B=2"]}' >"$BUNDLE/process.json"
  run --separate-stderr bash -c 'exec 3<"$1"; shift; exec "$@"' - "$BUNDLE/3" "$RUNTIME" --root "$ROOT" exec \
    --process "$BUNDLE/process.json" --cwd /bin -e A=3 --tty=false --user 7:8 -g 17 --additional-gids 18 --cap CAP_CHOWN -c CAP_FOWNER \
    --no-new-privs --preserve-fds 1 --cgroup sub --ignore-paused --no-subreaper --pid-file "$BUNDLE/pid" --pidfd-socket "$BUNDLE/pidfd" \
    "$ID" </dev/null
  [ "$status" -eq 7 ] || fail_with "status"
  [ "${lines[0]}" = "uid=7 gid=8 groups=5,17,18" ]
  [ "${lines[1]} ${lines[2]} ${lines[3]}" = "/bin 3 2 kept" ]
  [[ ${lines[4]} == NoNewPrivs*1 || ${lines[5]} == NoNewPrivs*1 ]]
  [[ $output == *"no tty" ]]
  wait "$receiver"
  [ "$(cat "$BUNDLE/rootfs/received")" = "$(cat "$BUNDLE/pid")" ]
  # in a group below, with a terminal
  rt exec --detach --cgroup sub --pid-file "$BUNDLE/pid" "$ID" sleep 100 </dev/null >"$BUNDLE/out" 2>&1 3>&-
  [ "$(grep -c "/sub$" "/proc/$(cat "$BUNDLE/pid")/cgroup")" -eq "$(groups_of | wc -l)" ]
  "$(tool recvtty)" "$BUNDLE/socket" "$BUNDLE/name" </dev/null >"$BUNDLE/tty" 3>&- &
  receiver=$!
  wait_until 30 test -S "$BUNDLE/socket"
  rt exec --detach -t --console-socket "$BUNDLE/socket" "$ID" tty </dev/null >"$BUNDLE/out" 2>&1 3>&-
  wait "$receiver"
  [ "$(tr -d '\r' <"$BUNDLE/tty")" = /dev/pts/0 ]
  run_rt exec --apparmor none "$ID" true </dev/null
  [ "$status" -eq 255 ]
  run_rt exec --process-label none "$ID" true </dev/null
  [ "$status" -eq 255 ]
  # its statuses
  run -127 rt exec "$ID" nosuch </dev/null
  run_rt exec "$ID" /bin </dev/null
  [ "$status" -eq 126 ]
  run_rt exec --cwd /nowhere "$ID" true </dev/null
  [ "$status" -eq 255 ]
  [ "$(status_of "$ID")" = created ]
  rt start "$ID"
}

@test "all namespaces are joined at once, by the pidfd of init" {
  only_tare
  begin '.linux.namespaces += [{type: "time"}]'
  traced -f -qq -e trace=setns -o "$BUNDLE/trace" "$RUNTIME" --root "$ROOT" exec "$ID" true </dev/null 3>&-
  [ "$(grep -c 'setns(' "$BUNDLE/trace")" -eq 1 ] || fail_with "$(cat "$BUNDLE/trace")"
  grep -q 'setns([0-9]*, .*CLONE_NEWNS.*CLONE_NEWNET.*) = 0' "$BUNDLE/trace" || grep -q 'setns([0-9]*, .*|.*|.*) = 0' "$BUNDLE/trace" ||
    fail_with "$(cat "$BUNDLE/trace")"
}

@test "the config that counts is the one the container was made with" {
  only_tare
  begin '.process.env += ["A=1"]'
  echo garbage >"$BUNDLE/config.json"
  exec_in "$ID" sh -c 'echo $A'
  assert_output 1
}

@test "a container that has stopped, is paused, or is not there" {
  begin
  rt pause "$ID"
  run_rt exec "$ID" true
  assert_error 255 "cannot exec in a paused container (use --ignore-paused to override)"
  rt resume "$ID"
  rt kill "$ID" KILL
  wait_until 30 has_status "$ID" stopped
  run_rt exec "$ID" true
  assert_error 255 "cannot exec in a stopped container"
  run_rt exec "$ID-x" true
  assert_error 255 "does not exist"
  run_rt exec ../x true
  assert_error 255 "container ID"
}

@test "--ignore-paused waits for resume" {
  begin
  rt pause "$ID"
  "$RUNTIME" --root "$ROOT" exec --ignore-paused "$ID" echo hello >"$BUNDLE/said" 2>&1 </dev/null 3>&- &
  local exec=$!
  sleep 0.3
  [ ! -s "$BUNDLE/said" ]
  rt resume "$ID"
  wait $exec
  [ "$(cat "$BUNDLE/said")" = hello ]
}

@test "when the container ends, so does exec" {
  begin
  "$RUNTIME" --root "$ROOT" exec "$ID" sh -c 'echo ready; sleep 100' >"$BUNDLE/said" 2>&1 </dev/null 3>&- &
  local exec=$! result=0
  wait_until 30 grep -q ready "$BUNDLE/said"
  rt delete --force "$ID"
  wait $exec || result=$?
  [ "$result" -eq 137 ]
  assert_nothing_left
}

# ---- descriptors ---------------------------------------------------------------------------------

# Names of the descriptors that a shell has; the one by which it looks is closed when it tests.
descriptors='for fd in /proc/$$/fd/*; do [ ! -e "$fd" ] || echo "${fd##*/}"; done'

@test "descriptors: 0, 1 and 2, whatever the caller has open" {
  begin
  run bash -c 'exec 5</ 7</etc/passwd 20</; exec "$@"' - "$RUNTIME" --root "$ROOT" exec "$ID" sh -c "$descriptors" 3>&-
  assert_output $'0\n1\n2'
}

@test "--preserve-fds" {
  begin
  echo three >"$BUNDLE/3"
  echo four >"$BUNDLE/4"
  run bash -c 'exec 3<"$1" 4<"$2" 5</; shift 2; exec "$@"' - "$BUNDLE/3" "$BUNDLE/4" \
    "$RUNTIME" --root "$ROOT" exec --preserve-fds 2 "$ID" sh -c "cat <&3; cat <&4; $descriptors"
  assert_output $'three\nfour\n0\n1\n2\n3\n4'
  only_tare
  run --separate-stderr bash -c 'exec 3<&-; exec "$@"' - "$RUNTIME" --root "$ROOT" exec --preserve-fds 1 "$ID" true
  assert_error 255 "preserved-fd"
}

# In the container's namespaces, before its program: what somebody there would find who traces it.
@test "what waits to be executed is the sealed copy of tare-init, and holds nothing of the host" {
  only_tare
  begin
  TARE_FAULT=init:ready:stop "$FAULTY" --root "$ROOT" exec -u 5 "$ID" true </dev/null >"$BUNDLE/said" 2>&1 3>&- 9</ &
  local exec=$! pid fd
  inside_waits() { pid=$(others) && grep -q '^NSpid:.*[[:space:]]2$' "/proc/$pid/status" && grep -q '^Uid:[[:space:]]5' "/proc/$pid/status"; }
  wait_until 30 inside_waits
  [ "$(readlink "/proc/$pid/exe")" = "/memfd:tare-init (deleted)" ]
  [ "$(tr '\0' '\n' <"/proc/$pid/environ" | grep -vc ^TARE_FAULT=)" -eq 0 ]
  [ "$(readlink "/proc/$pid/cwd")" = / ]
  [ "$(stat -c %u "/proc/$pid/fd")" -eq 0 ] # not dumpable: nothing of it belongs to user 5
  for fd in /proc/"$pid"/fd/*; do
    case $(readlink "$fd") in
      /dev/null | "$BUNDLE/said" | socket:* | pipe:*) [ "${fd##*/}" -le 2 ] || [[ $(readlink "$fd") == socket:* ]] ;;
      /) [ "$(stat -Lc %d:%i "$fd")" = "$(stat -Lc %d:%i "/proc/$pid/root/.")" ] ;;
      *) echo "$(readlink "$fd")" >&2; return 1 ;;
    esac
  done
  kill -KILL "$exec"
  kill -KILL "$pid" # stopped, it cannot see that it is alone
  wait_until 30 no_others
}

# ---- managers ------------------------------------------------------------------------------------

@test "--process: as managers call it, completed from the container" {
  begin '.process.user = {uid: 7, gid: 8} | .process.noNewPrivileges = true
         | .process.capabilities = {bounding: ["CAP_KILL"], effective: ["CAP_KILL"], permitted: ["CAP_KILL"], inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}'
  jq -n '{args: ["sh", "-c", "id; pwd; echo $A; grep -E \"CapEff\" /proc/self/status"], cwd: "/bin", env: ["PATH=/bin", "A=1"]}' >"$BUNDLE/process.json"
  run_rt --log "$BUNDLE/log.json" --log-format json exec --process "$BUNDLE/process.json" --pid-file "$BUNDLE/pid" "$ID" </dev/null
  assert_success
  [ "${lines[1]}" = /bin ]
  [ "${lines[2]}" = 1 ]
  [[ ${lines[3]} == *20 ]]
  only_tare # runc: user 0
  [ "${lines[0]}" = "uid=7 gid=8" ]
  [ ! -s "$BUNDLE/log.json" ]
}

@test "--process -: standard input; options change it" {
  only_tare
  begin
  run --separate-stderr rt exec --process - -u 5 --cwd /bin -e A=2 "$ID" \
    <<<'{"args": ["sh", "-c", "id -u; pwd; echo $A"], "cwd": "/", "env": ["PATH=/bin", "A=1"]}' 3>&-
  assert_success
  assert_output $'5\n/bin\n2'
}

@test "a process object that is wrong" {
  only_tare
  begin
  local -a bad=(
    '{' 'process.json'
    '[]' 'expected an object'
    '{"args": ["true"]}' 'cwd: required'
    '{"cwd": "/"}' 'process.args: required'
    '{"cwd": "/", "args": []}' 'process.args'
    '{"cwd": "x", "args": ["true"]}' "process.cwd: 'x' is not absolute"
    '{"cwd": "/", "args": ["true"], "user": {"uid": -1}}' 'user.uid'
    '{"cwd": "/", "args": ["true"], "user": {"uid": 4294967295}}' 'user.uid'
    '{"cwd": "/", "args": ["true"], "env": ["x"]}' 'process.env[0]'
    '{"cwd": "/", "args": ["true"], "rlimits": [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]}' 'process.rlimits[0]'
    '{"cwd": "/", "args": ["true"], "terminal": true, "apparmorProfile": "x"}' 'process.apparmorProfile'
  )
  local at
  for ((at = 0; at < ${#bad[@]}; at += 2)); do
    printf '%s' "${bad[at]}" >"$BUNDLE/process.json"
    run_rt exec --process "$BUNDLE/process.json" "$ID" </dev/null
    assert_error 255 "${bad[at + 1]}"
  done
  run_rt exec --process "$BUNDLE/none.json" "$ID"
  assert_error 255 "none.json"
  echo '{"cwd": "/", "args": ["true"]}' >"$BUNDLE/process.json"
  run_rt exec --process "$BUNDLE/process.json" "$ID" false
  assert_error 255 "beside a process object"
  run_rt exec "$ID"
  assert_error 255 "no program is given"
}

@test "--detach: returns once the program runs; the caller's reaper gets its status" {
  begin
  rt exec --detach --pid-file "$BUNDLE/pid" "$ID" sh -c 'sleep 0.5; exit 3' </dev/null >"$BUNDLE/out" 2>&1 3>&-
  local pid
  pid=$(cat "$BUNDLE/pid")
  [ "$(readlink "/proc/$pid/exe")" != "/memfd:tare-init (deleted)" ]
  [ "$(stat -c %a "$BUNDLE/pid")" = 644 ]
  wait_until 30 no_others
  [ "$(status_of "$ID")" = running ]
}

@test "a program that is not there, or cannot be executed" {
  begin
  run_rt --log "$BUNDLE/log.json" --log-format json exec --detach --pid-file "$BUNDLE/pid" "$ID" nosuch </dev/null
  [ "$status" -ne 0 ]
  [ ! -e "$BUNDLE/pid" ]
  grep -q 'executable file not found in $PATH' "$BUNDLE/log.json"
  only_tare
  assert_error 127 "executable file not found in \$PATH: no such file or directory"
  assert_one_record "$BUNDLE/log.json" "executable file not found"
  run_rt exec "$ID" /nosuch
  assert_error 127 "no such file or directory"
  run_rt exec "$ID" /bin
  assert_error 126 "is a directory: permission denied"
  printf 'no program' >"$BUNDLE/rootfs/bin/text"
  run_rt exec "$ID" text
  assert_error 126 "permission denied"
  chmod +x "$BUNDLE/rootfs/bin/text"
  run_rt exec --pid-file "$BUNDLE/pid" "$ID" text
  assert_error 126 "exec format error"
  [ ! -e "$BUNDLE/pid" ]
  printf '#!/bin/nosuch\n' >"$BUNDLE/rootfs/bin/text"
  run_rt exec "$ID" text
  assert_error 127 "no such file or directory"
  no_others
}

@test "what goes wrong with the pid file: nothing runs" {
  begin
  run_rt exec --pid-file "$BUNDLE/no/pid" "$ID" touch /dev/shm/ran
  [ "$status" -ne 0 ]
  no_others
  only_tare
  assert_error 255 "pid file"
  exec_in "$ID" ls /dev/shm
  assert_output ""
}

@test "--pidfd-socket" {
  only_tare
  begin
  run_rt exec --pidfd-socket "$BUNDLE/nobody" "$ID" touch /dev/shm/ran
  assert_error 255 "pidfd socket"
  exec_in "$ID" ls /dev/shm
  assert_output ""
}

@test "usage errors have status 1" {
  only_tare
  run_rt exec
  assert_error 1 "exec: an argument is missing"
  run_rt exec --nosuch x true
  assert_error 1 "unknown option '--nosuch' of exec"
}

# ---- terminals -----------------------------------------------------------------------------------

@test "-t: a terminal of its own, although the container has none" {
  begin
  in_terminal "$RUNTIME --root $ROOT exec -t $ID sh -c 'tty; stty size; cut -d\" \" -f7 /proc/self/stat; exit 4'"
  output=${output%$'\n'}
  [ "$status" -eq 4 ]
  assert_output $'/dev/pts/0\n33 77\n34816'
}

@test "a terminal of the container is not inherited" {
  only_tare
  make_bundle sleep 1000
  config '.process.terminal = true'
  "$(tool recvtty)" "$BUNDLE/socket" "$BUNDLE/name" </dev/null >"$BUNDLE/tty" 3>&- &
  wait_until 30 test -S "$BUNDLE/socket"
  rt run --detach --console-socket "$BUNDLE/socket" --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
  run_rt exec "$ID" tty </dev/null
  assert_output "not a tty"
}

@test "--tty --console-socket, detached" {
  only_tare
  begin
  "$(tool recvtty)" "$BUNDLE/socket" "$BUNDLE/name" </dev/null >"$BUNDLE/tty" 3>&- &
  local receiver=$!
  wait_until 30 test -S "$BUNDLE/socket"
  rt exec --detach --tty --console-socket "$BUNDLE/socket" "$ID" sh -c 'tty; echo done' </dev/null >"$BUNDLE/out" 2>&1 3>&-
  wait "$receiver"
  [ "$(tr -d '\r' <"$BUNDLE/tty")" = $'/dev/pts/0\ndone' ]
  [ ! -s "$BUNDLE/out" ]
}

@test "a terminal with nobody to have it" {
  begin
  run_rt exec --detach -t "$ID" touch /dev/shm/ran
  [ "$status" -eq 255 ]
  run_rt exec -t --detach --console-socket "$BUNDLE/nobody" "$ID" touch /dev/shm/ran
  [ "$status" -eq 255 ]
  exec_in "$ID" ls /dev/shm
  assert_output ""
}

# ---- groups --------------------------------------------------------------------------------------

# The container's group directories.
groups_of() {
  jq -r '.cgroups[]' "$ROOT/$ID/state.json"
}

@test "an init that has moved into a group of its own is followed" {
  only_tare
  begin
  local group init
  init=$(pid_of "$ID")
  for group in $(groups_of); do
    [ -e "$group/cgroup.procs" ] || continue
    mkdir "$group/inner"
    [ ! -e "$group/cpuset.cpus" ] || [ -n "$(cat "$group/inner/cpuset.cpus" 2>/dev/null)" ] || {
      cat "$group/cpuset.cpus" >"$group/inner/cpuset.cpus" 2>/dev/null || true
      cat "$group/cpuset.mems" >"$group/inner/cpuset.mems" 2>/dev/null || true
    }
    echo "$init" >"$group/inner/cgroup.procs"
  done
  rt exec --detach --pid-file "$BUNDLE/pid" "$ID" sleep 100 </dev/null >"$BUNDLE/out" 2>&1 3>&-
  [ "$(cat "/proc/$(cat "$BUNDLE/pid")/cgroup")" = "$(cat "/proc/$init/cgroup")" ]
  grep -q inner "/proc/$init/cgroup"
}

@test "--cgroup: a group below the container's, and never another" {
  only_tare
  begin
  local bad
  make_sub_groups
  rt exec --detach --cgroup /sub --pid-file "$BUNDLE/pid" "$ID" sleep 100 </dev/null >"$BUNDLE/out" 2>&1 3>&-
  [ "$(grep -c "/sub$" "/proc/$(cat "$BUNDLE/pid")/cgroup")" -eq "$(groups_of | wc -l)" ]
  for bad in ../x sub/../.. /.. ..; do
    run_rt exec --cgroup "$bad" "$ID" true
    assert_error 255 "bad sub cgroup path"
  done
  run_rt exec --cgroup nothere "$ID" true
  assert_error 255 "sub cgroup 'nothere'"
  run_rt exec --cgroup nosuch:sub "$ID" true
  assert_error 255 "no such controller"
}

# ---- faults --------------------------------------------------------------------------------------

# with_fault STEP ACTION [OPTION...]
with_fault() {
  local step=$1 action=$2 wanted=137
  shift 2
  rm -f "$BUNDLE/pid"
  run --separate-stderr env TARE_FAULT="$step:$action" "$FAULTY" --root "$ROOT" exec --pid-file "$BUNDLE/pid" "$@" "$ID" sleep 1 </dev/null 3>&-
  # Killed after its last word, it has been executed, as far as anybody can tell.
  case $step:$action in
    host:*:kill | init:seccomp_late:kill | init:execute:kill) ;;
    *) wanted=255 ;;
  esac
  if [ "$status" -ne "$wanted" ] || { [ "$wanted" -eq 255 ] && [ "${#stderr_lines[@]}" -ne 1 ]; }; then
    fail_with "$step:$action"
    return 1
  fi
  [ "$status" -eq 137 ] || [ ! -e "$BUNDLE/pid" ] || { echo "pid file left by $step:$action" >&2; return 1; }
  wait_until 30 no_others || { echo "process left by $step:$action" >&2; return 1; }
  [ "$(status_of "$ID")" = running ]
}

@test "a fault in every step: one line of error, no process left, the container goes on" {
  only_tare
  [ -x "$FAULTY" ] || { echo "not built: $FAULTY (make check)" >&2; return 1; }
  begin '.process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0}] | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
         syscalls: [{names: ["reboot"], action: "SCMP_ACT_ERRNO"}]}'
  local step action
  for action in fail kill; do
    for step in host:{open,load,console,plan,spawn,attach,limits,forked,filter,go,ready,executing} \
      init:{hygiene,join_container,fork,go,session,environment,credentials,program,ready,rlimits,executing,seccomp_late,execute}; do
      with_fault $step $action --no-new-privs
    done
    with_fault init:seccomp_early $action --no-new-privs=false
  done
}
