#!/usr/bin/env bats
# A fault in every step of the tables, of both programs: it fails, its process is killed, or is
# stopped. Whatever happens: one line of error, and after `delete --force` nothing is left.
#
# The names come from the tables themselves (tests/lint/tare-steps names), so a new step is tested
# from its first day: a step in which no fault fires makes the file fail, too.
# views: v1 v2

load helpers
load inside

FAULTY=${top_builddir:-$TOP/build}/tests/tare-faults
STEPS=${top_builddir:-$TOP/build}/tests/lint/tare-steps

setup_file() {
  is_tare || skip "only tare has these steps"
  [ -x "$FAULTY" ] && [ -x "$STEPS" ] || { echo "not built: $FAULTY, $STEPS (make check)" >&2; return 1; }
  file_begin
  unshare --net="$WORK/net" true 2>/dev/null || {
    touch "$WORK/net"
    unshare --net="$WORK/net" true
  }
  export NET_DEVICE=f$$
  ip link add "$NET_DEVICE" type veth peer name "p$$"
  make_shapes
}
teardown_file() {
  [ -z "${WORK:-}" ] || umount "$WORK/net" 2>/dev/null || true
  [ -z "${NET_DEVICE:-}" ] || ip link delete "$NET_DEVICE" 2>/dev/null || true
  [ -z "${USER_HOLDER:-}" ] || kill "$USER_HOLDER" 2>/dev/null || true
  file_end
}
setup() {
  test_begin
  failures=0
}

# ---- bundles in which the steps are needed -------------------------------------------------------

# One root, a bundle for each shape; every step of the tables is needed in one of them.
make_shapes() {
  BUNDLE=$WORK/plain
  make_bundle true
  local mappings='[{containerID: 0, hostID: 100000, size: 65536}]'
  chmod 755 "$WORK"
  config '.root.path = $root | .process.noNewPrivileges = true | .hostname = "h" | .domainname = "d"
          | .linux.sysctl = {"net.ipv4.ip_forward": "1"}
          | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["reboot"], action: "SCMP_ACT_ERRNO"}]}
          | .linux.namespaces |= (map (select (.type != "cgroup")) + [{type: "cgroup"}])' --arg root "$BUNDLE/rootfs"
  shape early '.process.noNewPrivileges = false'
  shape hooks '.hooks = {createContainer: [{path: "/bin/true"}], startContainer: [{path: "/bin/true"}],
                         prestart: [{path: "/bin/true"}], createRuntime: [{path: "/bin/true"}]}'
  # joins before a new user namespace; clocks of its own
  shape user ".linux.namespaces |= (map (select (.type != \"network\")) + [{type: \"network\", path: \"$WORK/net\"},
                {type: \"user\"}, {type: \"time\"}])
              | del (.linux.sysctl) | .linux.uidMappings = $mappings | .linux.gidMappings = $mappings
              | .linux.timeOffsets = {monotonic: {secs: 100}}
              | .mounts |= map (select (.type != \"sysfs\"))"
  shape joined '.linux.namespaces += [{type: "user", path: "/proc/self/ns/user"}]'
  shape owned '(.mounts[] | select (.destination == "/sys/fs/cgroup") | .options) -= ["ro"]'
  shape terminal '.process.terminal = true'
  shape attributes '.linux.personality = {domain: "LINUX"}'
  shape idmapped ".mounts += [{destination: \"/tmp\", type: \"bind\", source: \"$WORK/plain\", options: [\"bind\"],
                    uidMappings: $mappings, gidMappings: $mappings}]"
  # a device of the host's, which stays there: no fault comes after it has gone
  shape devices ".linux.netDevices = {\"$NET_DEVICE\": {}}"
}

shape() {
  mkdir -p "$WORK/$1"
  jq "$2" "$WORK/plain/config.json" >"$WORK/$1/config.json"
}

# Where a step of SIDE is needed; "plain" needs no line.
shape_of() {
  case $2 in
    mounts) [ "$1" = host ] && echo idmapped || echo plain ;;
    join_outer | new_user | map_user | become_root | unshare | time_offsets | fork | forked) echo user ;;
    join_user) echo joined ;;
    seccomp_early) echo early ;;
    runtime_hooks | host_hooks | create_hooks | start_hooks) echo hooks ;;
    terminal | console) echo terminal ;;
    attributes) echo attributes ;;
    net_devices) echo devices ;;
    delegate) echo owned ;;
    *) echo plain ;;
  esac
}

# steps_of SIDE VERB. Those of exec are in exec.bats; those that need what a machine rarely has,
# resctrl and security modules, are left to the files that have them.
steps_of() {
  "$STEPS" names | awk -v side="$1" '$1 == side && $2 == "create" { print $3 }' | grep -vx 'rdt\|enter_rdt\|labels' |
    case $2 in
      create) grep -vx "$([ "$1" = init ] || echo 'executing\|running')" ;;
      run) grep -vx 'start_socket\|wait' ;;
    esac
}

# Steps that init runs once it is created.
is_after_create() {
  case $1 in
    wait | start_hooks | rlimits | executing | seccomp_late | execute) true ;;
    *) false ;;
  esac
}

# ---- calls ---------------------------------------------------------------------------------------

# make_one FAULT VERB STEP: its streams are files of the id's own, by which its processes are found.
make_one() {
  local fault=$1 verb=$2 step=$3 result=0
  local shape arguments manager=
  shape=$(shape_of "${fault%%:*}" "$step")
  arguments=(--bundle "$WORK/$shape")
  if [ "$shape" = terminal ]; then
    arguments+=(--console-socket "$WORK/tty.$ID")
    [ "$verb" = create ] || arguments+=(--detach)
    rm -f "$WORK/tty.$ID"
    "$(tool recvtty)" "$WORK/tty.$ID" "$WORK/name.$ID" </dev/null >/dev/null 2>&1 3>&- &
    manager=$!
    wait_until 5 test -S "$WORK/tty.$ID"
  fi
  TARE_FAULT=$fault "$FAULTY" --root "$ROOT" "$verb" "${arguments[@]}" "$ID" \
    </dev/null >"$WORK/out.$ID" 2>"$WORK/err.$ID" 3>&- || result=$?
  [ -z "$manager" ] || { kill "$manager" 2>/dev/null; wait "$manager"; } 2>/dev/null || true
  return $result
}

complain() {
  echo "$*" >&2
  failures=$((failures + 1))
}

# One line, and the words.
check_line() {
  local what=$1 words=$2 file=${3:-$WORK/err.$ID}
  [ "$(wc -l <"$file")" -eq 1 ] || complain "$what: not one line: $(cat "$file")"
  grep -qF -- "$words" "$file" || complain "$what: no '$words' in: $(cat "$file")"
}

check_gone() {
  local what=$1
  [ ! -e "$ROOT/$ID" ] || complain "$what: left: $ROOT/$ID: $(ls "$ROOT/$ID")"
  [ -z "$(cgroups_of "$ID")" ] || complain "$what: left: $(cgroups_of "$ID" | tr '\n' ' ')"
  [ -z "$(holders_of "out.$ID")" ] || complain "$what: left: process $(holders_of "out.$ID")"
}

check_delete() {
  local what=$1 result=0
  timeout 30 "$RUNTIME" --root "$ROOT" delete --force "$ID" >"$WORK/delete.$ID" 2>&1 3>&- || result=$?
  [ $result -eq 0 ] || complain "$what: delete --force: $result: $(cat "$WORK/delete.$ID")"
  check_gone "$what: after delete"
}

# ---- a step fails --------------------------------------------------------------------------------

# Before it waits for start, nobody has called whom init could tell: start finds it dead, or dying.
words_of() {
  case $1:$2 in
    init:wait) echo "container" ;;
    *) echo "step $2" ;;
  esac
}

fail_one() {
  local side=$1 step=$2 verb=$3 result=0 what="$3 with $1:$2:fail"
  ID=$TAG-$side-$step-$verb
  if [ "$verb" = create ] && [ "$side" = init ] && is_after_create "$step"; then
    make_one "$side:$step:fail" create "$step" || { complain "$what: create: $(cat "$WORK/err.$ID")"; return 0; }
    "$RUNTIME" --root "$ROOT" start "$ID" 2>"$WORK/err.$ID" 3>&- || result=$?
    [ $result -ne 0 ] || complain "$what: start succeeds"
    check_line "$what" "$(words_of "$side" "$step")"
    rt delete --force "$ID" || complain "$what: delete"
  else
    make_one "$side:$step:fail" "$verb" "$step" || result=$?
    [ $result -ne 0 ] || complain "$what: it succeeds"
    check_line "$what" "$(words_of "$side" "$step")"
  fi
  check_gone "$what"
  check_delete "$what"
}

@test "fail: every step of the host side, create and run" {
  for verb in create run; do
    for step in $(steps_of host "$verb"); do
      fail_one host "$step" "$verb"
    done
  done
  [ $failures -eq 0 ]
}

@test "fail: every step of init, create, start and run" {
  for verb in create run; do
    for step in $(steps_of init "$verb"); do
      fail_one init "$step" "$verb"
    done
  done
  [ $failures -eq 0 ]
}

# ---- a process is killed -------------------------------------------------------------------------

kill_one() {
  local side=$1 step=$2 verb=$3 result=0 what="$3 with $1:$2:kill"
  ID=$TAG-$side-$step-$verb-k
  if [ "$side" = host ]; then
    make_one "$side:$step:kill" "$verb" "$step" || result=$?
    [ $result -eq 137 ] || complain "$what: status $result: $(cat "$WORK/err.$ID")"
    # init sees the end of its socket by itself; delete must not have to wait for it
  elif [ "$verb" = create ] && is_after_create "$step"; then
    make_one "$side:$step:kill" create "$step" || complain "$what: create: $(cat "$WORK/err.$ID")"
    if [ "$step" != wait ]; then # there, it is dead before start comes
      "$RUNTIME" --root "$ROOT" start "$ID" 2>"$WORK/err.$ID" 3>&- || result=$?
      [ $result -ne 0 ] || [ "$step" = seccomp_late ] || [ "$step" = execute ] || complain "$what: start succeeds"
      [ $result -eq 0 ] || check_line "$what" "already dead"
    fi
  else
    make_one "$side:$step:kill" "$verb" "$step" || result=$?
    [ $result -ne 0 ] || complain "$what: it succeeds"
    if ! is_after_create "$step"; then
      check_line "$what" "in step $step"
      check_gone "$what"
    fi
  fi
  check_delete "$what"
}

@test "kill: the host side, before every step" {
  for verb in create run; do
    for step in $(steps_of host "$verb"); do
      kill_one host "$step" "$verb"
    done
  done
  [ $failures -eq 0 ]
}

@test "kill: the host side, before anything is recorded: a plain delete clears it away" {
  for step in start_socket plan record; do
    ID=$TAG-host-$step-p
    make_one "host:$step:kill" create "$step" || true
    [ -d "$ROOT/$ID" ] || complain "$step: nothing is left to clear away"
    rt delete "$ID" || complain "$step: delete"
    check_gone "$step"
  done
  mkdir "$ROOT/$ID"
  touch "$ROOT/$ID/lock" "$ROOT/$ID/other"
  ! rt delete "$ID" 2>/dev/null || complain "what may be somebody's is removed"
  rm -r "${ROOT:?}/$ID"
  [ $failures -eq 0 ]
}

@test "kill: init, before every step" {
  for verb in create run; do
    for step in $(steps_of init "$verb"); do
      kill_one init "$step" "$verb"
    done
  done
  [ $failures -eq 0 ]
}

# ---- a process is stopped ------------------------------------------------------------------------

# All at once, since every one of them waits. Of both sides: create hangs; `delete --force` ends in
# bounded time, with a line that says why; once the hanging create is killed, it works.
stop_all() {
  local side=$1 step ids=() creates=() deletes=() i result
  for step in $(steps_of "$side" create); do
    if [ "$side" = init ] && is_after_create "$step"; then
      continue
    fi
    ID=$TAG-$side-$step-s
    make_one "$side:$step:stop" create "$step" &
    creates+=($!)
    ids+=("$ID")
  done
  sleep 3
  for i in "${!ids[@]}"; do
    (
      result=0
      timeout 40 "$RUNTIME" --root "$ROOT" delete --force "${ids[i]}" >"$WORK/delete.${ids[i]}" 2>&1 3>&- || result=$?
      echo $result >"$WORK/result.${ids[i]}"
    ) &
    deletes+=($!)
  done
  wait "${deletes[@]}"
  for i in "${!ids[@]}"; do
    ID=${ids[i]}
    result=$(cat "$WORK/result.$ID")
    case $result in
      0) [ ! -e "$ROOT/$ID" ] || complain "$ID: delete said nothing, and did nothing" ;;
      1) check_line "$ID" "busy" "$WORK/delete.$ID" ;;
      *) complain "$ID: delete --force: status $result: $(cat "$WORK/delete.$ID")" ;;
    esac
    # the runtime itself is the child of the job's shell
    # shellcheck disable=SC2046
    kill -KILL $(holders_of "out.$ID" tare-faults) 2>/dev/null || complain "$ID: nothing hung"
    wait "${creates[i]}" || true
    check_delete "$ID"
  done
}

@test "stop: the host side, before every step" {
  stop_all host
  [ $failures -eq 0 ]
}

@test "stop: init, before every step up to created" {
  stop_all init
  [ $failures -eq 0 ]
}

@test "stop: init, after created: start waits, and delete --force ends both" {
  local step
  for step in $(steps_of init create); do
    is_after_create "$step" || continue
    ID=$TAG-init-$step-s
    make_one "init:$step:stop" create "$step" || complain "$step: create"
    timeout 60 "$RUNTIME" --root "$ROOT" start "$ID" >"$WORK/start.$ID" 2>&1 3>&- &
  done
  sleep 1
  for step in $(steps_of init create); do
    is_after_create "$step" || continue
    ID=$TAG-init-$step-s
    (
      result=0
      timeout 40 "$RUNTIME" --root "$ROOT" delete --force "$ID" >"$WORK/delete.$ID" 2>&1 3>&- || result=$?
      echo "$result" >"$WORK/result.$ID"
    ) &
  done
  wait
  for step in $(steps_of init create); do
    is_after_create "$step" || continue
    ID=$TAG-init-$step-s
    [ "$(cat "$WORK/result.$ID")" -eq 0 ] || complain "$ID: delete: $(cat "$WORK/delete.$ID")"
    case $step in
      wait | seccomp_late | execute) ;; # before start was heard, after init's last word
      *) check_line "$ID" "container" "$WORK/start.$ID" ;;
    esac
    check_gone "$ID"
  done
  [ $failures -eq 0 ]
}

# ---- between the steps ---------------------------------------------------------------------------

# What it forked lives, and has the same end of the socket: nobody must wait for that one.
@test "a stage that dies once it has forked, and before it says so, ends the exec" {
  BUNDLE=$WORK/plain
  rt create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
  ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 run --separate-stderr timeout 60 \
    "${top_builddir:-$TOP/build}/tests/lib/strike" "$RUNTIME" --root "$ROOT" exec "$ID" true 3>&-
  assert_error 255 "tare-init was killed by signal 9"
  wait_until 5 is_alone
  run_rt delete --force "$ID"
  assert_success
  assert_nothing_left
}

# No other process than the container's init is in its group.
is_alone() {
  [ "$(rt ps --format json "$ID")" = "[$(pid_of "$ID")]" ]
}
