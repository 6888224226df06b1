#!/usr/bin/env bats
# How the program is scheduled and where its memory is: scheduler, ioPriority, execCPUAffinity,
# personality, memoryPolicy. Read from outside, by what the kernel says of the process.

load helpers
load inside

setup_file() {
  is_tare || skip "runc has these since 1.2 and 1.4, the one to compare with may be older"
  file_begin
}

# started FILTER [ARGUMENT...]: a container, and its pid in $pid
started() {
  make_bundle sleep 1000
  config "$@"
  if grep -q uidMappings "$BUNDLE/config.json"; then
    chmod 755 "$WORK"
    chown -R 100000:100000 "$BUNDLE/rootfs"
  fi
  create || fail_with "create: $(cat "$BUNDLE/err")"
  rt start "$ID"
  pid=$(pid_of "$ID")
}

# refused FILTER TEXT: create fails with this one line
refused() {
  cp "$BUNDLE/base.json" "$BUNDLE/config.json"
  config "$1"
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "$2"
  assert_nothing_left
}

# policy, priority, flags (SCHED_FLAG_RESET_ON_FORK only), as chrt(1) tells them
scheduling() {
  chrt --pid "$1" | awk -F': ' '/policy/ { policy = $2 } /priority/ { priority = $2 } /runtime/ { times = $2 }
    END { print policy, priority, times }' | sed 's/ *$//'
}

# A v1 group has no real-time share unless it is given one (CONFIG_RT_GROUP_SCHED).
share() {
  if [ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ]; then
    echo '.linux.resources.cpu = {realtimePeriod: 1000000, realtimeRuntime: 10000} | .linux.cgroupsPath = $path |'
  else
    echo '$path as $_ |'
  fi
}

nice_of() {
  sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 17
}

# ---- scheduler -----------------------------------------------------------------------------------

@test "scheduler: none: the caller's" {
  started .
  [ "$(scheduling "$pid")" = "SCHED_OTHER 0" ]
  [ "$(nice_of "$pid")" = "$(nice_of self)" ]
}

@test "scheduler: OTHER, BATCH and IDLE, with a nice value; exec has them too, or its own" {
  started '.process.scheduler = {policy: "SCHED_BATCH", nice: 7}'
  [ "$(scheduling "$pid")" = "SCHED_BATCH 0" ]
  [ "$(nice_of "$pid")" = 7 ]
  rt exec --detach --pid-file "$BUNDLE/pid" "$ID" sleep 1000 </dev/null >"$BUNDLE/out" 2>&1 3>&-
  [ "$(scheduling "$(cat "$BUNDLE/pid")")" = "SCHED_BATCH 0" ]
  [ "$(nice_of "$(cat "$BUNDLE/pid")")" = 7 ]
  jq -n '{cwd: "/", args: ["sleep", "1000"], scheduler: {policy: "SCHED_IDLE"}}' >"$BUNDLE/process.json"
  rt exec --detach --pid-file "$BUNDLE/pid" --process "$BUNDLE/process.json" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
  [ "$(scheduling "$(cat "$BUNDLE/pid")")" = "SCHED_IDLE 0" ]
  rt delete --force "$ID"
  rm -rf "$BUNDLE"
  started '.process.scheduler = {policy: "SCHED_OTHER", nice: -5}'
  [ "$(scheduling "$pid")" = "SCHED_OTHER 0" ]
  [ "$(nice_of "$pid")" = -5 ]
}

@test "scheduler: FIFO, RR, flags; for a user without rights, in a user namespace too" {
  started "$(share)"'.process.scheduler = {policy: "SCHED_FIFO", priority: 3, flags: ["SCHED_FLAG_RESET_ON_FORK"]}
    | .process.user = {uid: 1000, gid: 1000} | del (.process.capabilities)' --arg path "/$ID"
  [ "$(scheduling "$pid")" = "SCHED_FIFO|SCHED_RESET_ON_FORK 3" ]
  rt delete --force "$ID"
  rm -rf "$BUNDLE"
  only_tare # the others ask inside the user namespace, where nobody may
  started "$(share)"'.process.scheduler = {policy: "SCHED_RR", priority: 99}
    | .linux.namespaces += [{type: "user"}]
    | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
    | .linux.gidMappings = .linux.uidMappings' --arg path "/$ID"
  [ "$(scheduling "$pid")" = "SCHED_RR 99" ]
}

@test "scheduler: DEADLINE" {
  started '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 10000000, period: 20000000,
    flags: ["SCHED_FLAG_RECLAIM"]}'
  [ "$(scheduling "$pid")" = "SCHED_DEADLINE 0 1000000/10000000/20000000" ]
}

@test "scheduler: what makes no sense is refused" {
  only_tare
  make_bundle true
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  refused '.process.scheduler = {policy: "SCHED_OTHER", nice: 20}' 'process.scheduler.nice: 20 is not -20 to 19'
  refused '.process.scheduler = {policy: "SCHED_OTHER", priority: 1}' 'process.scheduler.priority: 1: is only for SCHED_FIFO and SCHED_RR, this is SCHED_OTHER'
  refused '.process.scheduler = {policy: "SCHED_FIFO"}' 'process.scheduler.priority: 0 is not 1 to 99, as SCHED_FIFO needs'
  refused '.process.scheduler = {policy: "SCHED_RR", priority: 100}' 'process.scheduler.priority: 100 is not 1 to 99'
  refused '.process.scheduler = {policy: "SCHED_BATCH", runtime: 1}' 'runtime, deadline and period are only for SCHED_DEADLINE'
  refused '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 5, deadline: 4}' '0 < runtime <= deadline <= period is not so: 5, 4, 4'
  refused '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1024, deadline: 2048}
    | .hooks.startContainer = [{path: "/bin/true"}]' 'needs SCHED_FLAG_RESET_ON_FORK'
  refused '.process.scheduler = {nice: 1}' 'process.scheduler.policy'
  refused '.process.scheduler = {policy: "SCHED_FAIR"}' 'is not one of SCHED_OTHER, SCHED_FIFO'
  refused '.process.scheduler = {policy: "SCHED_OTHER", flags: ["SCHED_FLAG_X"]}' 'process.scheduler.flags[0]'
  refused '.process.scheduler = {policy: "SCHED_ISO"}' 'process.scheduler: set SCHED_ISO (a policy or a flag that this kernel does not have'
}

@test "scheduler: without the right it says which one" {
  only_tare
  make_bundle true
  config '.process.scheduler = {policy: "SCHED_RR", priority: 1}'
  run --separate-stderr capsh --drop=cap_sys_nice -- -c '"$0" "$@"' "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  assert_error 1 'process.scheduler: set SCHED_RR (it needs CAP_SYS_NICE on the host'
  assert_nothing_left
}

# ---- I/O priority --------------------------------------------------------------------------------

@test "ioPriority: class and priority, of the whole process group; exec too" {
  make_bundle sh -c 'sleep 1000 & echo started; wait'
  config '.process.ioPriority = {class: "IOPRIO_CLASS_RT", priority: 3} | .process.user.uid = 5'
  create
  rt start "$ID"
  wait_until 30 grep -q started "$BUNDLE/out"
  pid=$(pid_of "$ID")
  [ "$(ionice -p "$pid")" = "realtime: prio 3" ]
  [ "$(ionice -p "$(tr -d " " <"/proc/$pid/task/$pid/children")")" = "realtime: prio 3" ]
  rt exec --detach --pid-file "$BUNDLE/pid" "$ID" sleep 1000 </dev/null >"$BUNDLE/exec" 2>&1 3>&-
  [ "$(ionice -p "$(cat "$BUNDLE/pid")")" = "realtime: prio 3" ]
  jq -n '{cwd: "/", args: ["sleep", "1000"], ioPriority: {class: "IOPRIO_CLASS_BE", priority: 7}}' >"$BUNDLE/process.json"
  rt exec --detach --pid-file "$BUNDLE/pid" --process "$BUNDLE/process.json" "$ID" </dev/null >"$BUNDLE/exec" 2>&1 3>&-
  [ "$(ionice -p "$(cat "$BUNDLE/pid")")" = "best-effort: prio 7" ]
}

@test "ioPriority: idle; what is out of range is refused" {
  started '.process.ioPriority = {class: "IOPRIO_CLASS_IDLE"}'
  [ "$(ionice -p "$pid")" = idle ]
  rt delete --force "$ID"
  only_tare
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  refused '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 8}' 'process.ioPriority.priority: 8 is not 0 to 7'
  refused '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: -1}' 'process.ioPriority.priority: -1 is not 0 to 7'
  refused '.process.ioPriority = {class: "IOPRIO_CLASS_NONE"}' 'is not one of IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE'
  refused '.process.ioPriority = {priority: 1}' 'process.ioPriority.class'
}

# ---- affinity ------------------------------------------------------------------------------------

allowed() {
  status_field Cpus_allowed_list <"/proc/$1/status"
}

@test "execCPUAffinity: of an exec, and of nothing else; final alone, initial alone, both" {
  started '.process.execCPUAffinity = {initial: "0", final: "1"}'
  [ "$(nproc)" -ge 2 ] || skip "this machine has one processor"
  [ "$(allowed "$pid")" = "$(allowed self)" ]
  rt exec --detach --pid-file "$BUNDLE/pid" "$ID" sleep 1000 </dev/null >"$BUNDLE/exec" 2>&1 3>&-
  [ "$(allowed "$(cat "$BUNDLE/pid")")" = 1 ]
  grep -q "$ID" "/proc/$(cat "$BUNDLE/pid")/cgroup" # and in the groups
  local affinity wanted
  while read -r affinity wanted; do
    jq -n '{cwd: "/", args: ["sleep", "1000"], execCPUAffinity: $a}' --argjson a "$affinity" >"$BUNDLE/process.json"
    rt exec --detach --pid-file "$BUNDLE/pid" --process "$BUNDLE/process.json" "$ID" </dev/null >"$BUNDLE/exec" 2>&1 3>&-
    [ "$(allowed "$(cat "$BUNDLE/pid")")" = "$wanted" ] || fail_with "$affinity: $(allowed "$(cat "$BUNDLE/pid")")"
  done <<'LIST'
{"final":"0"} 0
{"final":"0-1"} 0-1
{"initial":"1","final":"0,1"} 0-1
LIST
  [ "$(allowed self)" = "$(allowed $$)" ] # the caller's own is as it was
}

@test "execCPUAffinity: an initial one alone is left to the kernel; what is no list is refused" {
  started .
  only_tare
  jq -n '{cwd: "/", args: ["sleep", "1000"], execCPUAffinity: {initial: "0", final: ""}}' >"$BUNDLE/process.json"
  rt exec --detach --pid-file "$BUNDLE/pid" --process "$BUNDLE/process.json" "$ID" </dev/null >"$BUNDLE/exec" 2>&1 3>&-
  [[ $(allowed "$(cat "$BUNDLE/pid")") == 0* ]]
  local list words
  while IFS='|' read -r list words; do
    jq -n '{cwd: "/", args: ["true"], execCPUAffinity: {final: $list}}' --arg list "$list" >"$BUNDLE/process.json"
    run_rt exec --process "$BUNDLE/process.json" "$ID"
    assert_error 255 "process.execCPUAffinity.final: $words"
  done <<'LIST'
1-0|'1-0' is not a list like 0-3,7
0--1|'0--1' is not a list
8192|'8192' is not a list like 0-3,7 of numbers below 8192
8191|set it (no such processor is there
LIST
}

# ---- personality, memory policy ------------------------------------------------------------------

@test "personality: LINUX32 for the program, and for exec; flags there are none" {
  make_bundle uname -m
  config '.linux.personality = {domain: "LINUX32"}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output "$(setarch linux32 uname -m)"
  config '.process.args = ["sleep", "1000"]'
  create
  rt start "$ID"
  [ $((0x$(cat "/proc/$(pid_of "$ID")/personality") & 0xff)) -eq 8 ]
  run_rt exec "$ID" uname -m
  assert_output "$(setarch linux32 uname -m)"
  rt delete --force "$ID"
  config '.linux.personality = {domain: "LINUX"} | .process.args = ["uname", "-m"]'
  run setarch linux32 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  assert_output "$(uname -m)"
  only_tare
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  refused '.linux.personality = {domain: "BSD"}' 'linux.personality.domain'
  refused '.linux.personality = {domain: "LINUX", flags: ["x"]}' "linux.personality.flags: 'x': there is none"
  refused '.linux.personality = {}' "linux.personality.domain: required"
}

# The policy of the program's own pages, as /proc/PID/numa_maps names it.
policy_of() {
  awk '{ print $2; exit }' "/proc/$1/numa_maps"
}

@test "memoryPolicy: modes, flags and nodes; exec has it too" {
  [ -e /proc/self/numa_maps ] || skip "the kernel has no NUMA policies (CONFIG_NUMA)"
  local policy wanted
  while IFS='|' read -r policy wanted; do
    started '.linux.memoryPolicy = $policy' --argjson policy "$policy"
    [ "$(policy_of "$pid")" = "$wanted" ] || fail_with "$policy: $(policy_of "$pid")"
    rt exec --detach --pid-file "$BUNDLE/pid" "$ID" sleep 1000 </dev/null >"$BUNDLE/exec" 2>&1 3>&-
    [ "$(policy_of "$(cat "$BUNDLE/pid")")" = "$wanted" ]
    rt delete --force "$ID"
    rm -rf "$BUNDLE"
  done <<'LIST'
{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC_NODES"]}|bind=static:0
{"mode":"MPOL_INTERLEAVE","nodes":"0","flags":[]}|interleave:0
{"mode":"MPOL_PREFERRED","nodes":"0"}|prefer:0
{"mode":"MPOL_LOCAL"}|local
{"mode":"MPOL_DEFAULT","nodes":""}|default
LIST
}

@test "memoryPolicy: what is wrong is refused" {
  only_tare
  make_bundle true
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  refused '.linux.memoryPolicy = {nodes: "0"}' 'linux.memoryPolicy.mode: required'
  refused '.linux.memoryPolicy = {mode: "MPOL_BIND"}' 'linux.memoryPolicy.nodes: MPOL_BIND needs at least one'
  refused '.linux.memoryPolicy = {mode: "MPOL_LOCAL", nodes: "0"}' "linux.memoryPolicy.nodes: '0': MPOL_LOCAL takes none"
  refused '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "a"}' "linux.memoryPolicy.nodes: 'a' is not a list like 0-3,7 of numbers below 1024"
  refused '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]}' 'exclude each other'
  refused '.linux.memoryPolicy = {mode: "MPOL_ALL", nodes: "0"}' 'is not one of MPOL_DEFAULT'
  [ -e /proc/self/numa_maps ] || skip "the kernel has no NUMA policies (CONFIG_NUMA)"
  refused '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "1023"}' 'linux.memoryPolicy: set MPOL_BIND (a mode or a flag'
}

@test "features: names what there is" {
  run_rt features
  [ "$(jq -c '.linux.memoryPolicy | (.modes | length), (.flags | length)' <<<"$output" | paste -sd ' ')" = "7 3" ]
}
