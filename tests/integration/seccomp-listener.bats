#!/usr/bin/env bats
# A filter that asks: its listener reaches the seccomp agent, whatever it is that the filter asks
# about (config-linux.md "Seccomp", "The Container Process State").

load helpers
load inside

setup() {
  test_begin
  unset AGENT
}
teardown() {
  [ -z "${AGENT:-}" ] || kill "$AGENT" 2>/dev/null || true
  test_end
}

# An agent on $BUNDLE/agent that answers with errno $1, 0: go on. Its log: $BUNDLE/agent.log.
agent() {
  mkfifo "$BUNDLE/agent.in"
  "$(tool agent)" "$BUNDLE/agent" "$BUNDLE/agent.log" "$1" <>"$BUNDLE/agent.in" >/dev/null 2>"$BUNDLE/agent.err" 3>&- &
  AGENT=$!
  wait_until 30 [ -S "$BUNDLE/agent" ]
}

# asks ACTION NAME...: a filter that asks about these system calls.
asks() {
  local nnp=$1
  shift
  config '.process.noNewPrivileges = $nnp | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
      listenerPath: ($bundle + "/agent"), listenerMetadata: "mine, \"é\"",
      syscalls: [{names: $ARGS.positional, action: "SCMP_ACT_NOTIFY"}]}' \
    --argjson nnp "$nnp" --arg bundle "$BUNDLE" --args "$@"
}

# The Nth container process state that the agent got.
state() {
  sed -n 's/^state //p' "$BUNDLE/agent.log" | sed -n "$1p"
}

@test "the agent answers for a call of the program, early and late" {
  local nnp status_then
  for nnp in false true; do
    make_bundle sh -c 'mkdir /tmp/x 2>&1; echo $?'
    config '.annotations = {a: "b"} | .root.readonly = false'
    asks $nnp mkdir mkdirat
    agent 28 # ENOSPC
    create --pid-file "$BUNDLE/pid"
    status_then=created
    if [ $nnp = false ]; then # loaded already
      wait_until 30 grep -q '^descriptors' "$BUNDLE/agent.log"
      status_then=creating
    fi
    run_rt start "$ID"
    assert_success
    wait_until 30 has_status "$ID" stopped
    grep -q 'No space left on device' "$BUNDLE/out"
    grep -qE '^call (83|258|1030|34)$' "$BUNDLE/agent.log"
    [ "$(grep -c '^state' "$BUNDLE/agent.log")" -eq 1 ]
    [ "$(grep '^descriptors' "$BUNDLE/agent.log")" = "descriptors 1" ]
    state 1 | jq -e --argjson pid "$(cat "$BUNDLE/pid")" --arg id "$ID" --arg bundle "$BUNDLE" --arg status $status_then '
      .ociVersion == .state.ociVersion and .fds == ["seccompFd"] and .pid == $pid and .metadata == "mine, \"é\""
      and (.state | .id == $id and .status == $status and .pid == $pid and .bundle == $bundle and .annotations.a == "b")'
    kill $AGENT
    rt delete "$ID"
    rm -rf "$BUNDLE"
  done
}

@test "a filter that asks about everything that hands on a listener" {
  local nnp
  for nnp in false true; do
    make_bundle echo through
    asks $nnp sendmsg sendto write writev close futex exit exit_group clone execve execveat mmap munmap \
      sched_yield nanosleep recvmsg prctl capset setresuid
    agent 0
    run_rt run --bundle "$BUNDLE" "$ID"
    assert_success
    assert_output through
    grep -q '^call' "$BUNDLE/agent.log"
    kill $AGENT
    rm -rf "$BUNDLE"
  done
}

@test "the program has no child, no thread and no descriptor of it" {
  local nnp
  for nnp in false true; do
    make_bundle sh -c 'cat /proc/self/task/*/children; ls /proc/self/task | wc -l; ls -l /proc/$$/fd | grep -c seccomp; echo $$'
    asks $nnp mkdir
    agent 0
    run_rt run --bundle "$BUNDLE" "$ID"
    assert_success
    assert_output $'1\n0\n1'
    kill $AGENT
    rm -rf "$BUNDLE"
  done
}

@test "exec: a listener of its own, on a connection of its own" {
  make_bundle sleep 1000
  asks true mkdir mkdirat
  agent 28
  rt run --detach --pid-file "$BUNDLE/pid" --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
  run_rt exec --pid-file "$BUNDLE/exec.pid" "$ID" sh -c 'mkdir /dev/shm/x'
  [ "$status" -ne 0 ]
  [[ $stderr == *"No space left on device"* ]]
  [ "$(grep -c '^state' "$BUNDLE/agent.log")" -eq 2 ]
  state 2 | jq -e --argjson pid "$(cat "$BUNDLE/exec.pid")" --argjson init "$(cat "$BUNDLE/pid")" \
    '.pid == $pid and .state.status == "running" and .pid != $init'
}

@test "with a user namespace, as a user" {
  make_bundle sh -c 'mkdir /tmp/x 2>&1; id -u'
  config '.process.user = {uid: 5, gid: 5} | .linux.namespaces += [{type: "user"}]
    | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
  chmod -R go+rX "$WORK" # only root's otherwise
  chown 100000:100000 "$BUNDLE/rootfs"
  asks true mkdir mkdirat
  agent 28
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  [[ $output == *"No space left on device"*$'\n'5 ]]
}

@test "nobody listens: create fails, nothing is left" {
  make_bundle true
  asks true mkdir
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "No such file or directory"
  [[ $stderr == *"$BUNDLE/agent"* ]]
  assert_nothing_left
}

@test "an agent that goes away before start: start fails" {
  make_bundle true
  asks true mkdir
  agent 0
  create
  kill $AGENT
  wait $AGENT || true
  AGENT=
  run_rt start "$ID"
  assert_error 1 "seccomp agent"
}

@test "an agent that goes away while it is asked: an error, and an end" {
  make_bundle true
  asks false prctl exit exit_group sendmsg write
  agent 0
  kill -STOP $AGENT
  rt create --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>"$BUNDLE/err" 3>&- &
  wait_until 30 [ -e "$ROOT/$ID/state.json" ]
  kill -KILL $AGENT
  ! wait $! || false
  [ "$(wc -l <"$BUNDLE/err")" -eq 1 ]
  AGENT=
  assert_nothing_left
}

@test "flags: what a listener rules out is left away, what needs one too" {
  make_bundle sh -c 'mkdir /tmp/x; echo through'
  asks true mkdir mkdirat
  config '.root.readonly = false | .linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "SECCOMP_FILTER_FLAG_LOG"]'
  agent 0
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  assert_output through
  config '.linux.seccomp.syscalls[0].action = "SCMP_ACT_ALLOW" | .linux.seccomp.listenerPath = "/nowhere"'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
}

@test "run.oci.seccomp.receiver: the agent, where there is no listenerPath" {
  only_tare
  make_bundle sh -c 'mkdir /tmp/x 2>&1'
  asks true mkdir mkdirat
  agent 28
  config 'del (.linux.seccomp.listenerMetadata, .linux.seccomp.listenerPath) | .annotations["run.oci.seccomp.receiver"] = $p' \
    --arg p "$BUNDLE/agent"
  run_rt run --bundle "$BUNDLE" "$ID"
  [[ $output == *"No space left on device"* ]]
  state 1 | jq -e 'has ("metadata") | not'
}

@test "what cannot be: a listener for nobody" {
  make_bundle true
  asks true mkdir
  config 'del (.linux.seccomp.listenerPath, .linux.seccomp.listenerMetadata)'
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 listenerPath
  only_tare
  asks true mkdir
  config 'del (.linux.seccomp.listenerPath)'
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "linux.seccomp.listenerPath: required"
  config '.linux.seccomp.syscalls = []'
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "linux.seccomp.listenerMetadata: without listenerPath"
  asks true mkdir
  config '.linux.seccomp.listenerPath = "agent"'
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "linux.seccomp.listenerPath: 'agent' is not absolute"
  config '.linux.seccomp.listenerPath = "/agent" | .linux.seccomp.defaultAction = "SCMP_ACT_NOTIFY"'
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "linux.seccomp.defaultAction"
  assert_nothing_left
}
