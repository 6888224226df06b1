#!/usr/bin/env bats
# containerd with its shim for runc (io.containerd.runc.v2), driven by ctr: what Kubernetes and
# other programs that embed containerd do.

load helpers

setup_file() {
  file_begin containerd ctr skopeo umoci
  mkdir -p "$WORK/containerd"
  cat >"$WORK/config.toml" <<END
version = 2
root = "$WORK/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "/run/containerd/containerd.sock"
END
  box_start containerd --config "$WORK/config.toml"
  wait_until 30 answers || { tail -n 20 "$WORK/daemon.log" >&2; return 1; }
  make_layout --config.cmd sh
  save_layout
  ctr images import "$WORK/bb.tar"
}

teardown_file() {
  file_end
}

setup() {
  ID=$TAG-$BATS_TEST_NUMBER
}

teardown() {
  show_trace
  local id
  for id in $(ctr tasks list -q); do
    ctr tasks delete --force "$id" >&2
  done
  for id in $(ctr containers list -q); do
    ctr containers delete "$id" >&2
  done
  wait_until 5 quiet_audit || containerds_audit
}

# Its namespace is the name of the group above those of the containers.
ctr() {
  box timeout --foreground 60 ctr --address /run/containerd/containerd.sock --namespace "$TAG" "$@"
}

answers() {
  ctr version >/dev/null 2>&1
}

containerds_audit() {
  audit 'containerd ' "/run/containerd/runc/$TAG"
}

quiet_audit() {
  containerds_audit 2>/dev/null
}

IMAGE=docker.io/library/bb:latest

# ctr_run [--runtime NAME] [OPTION...] COMMAND...: under "$ID"
ctr_run() {
  local runtime=runtime options=()
  while [[ $1 == -* ]]; do
    if [ "$1" = --runtime ]; then
      runtime=$2
      shift 2
    else
      options+=("$1")
      shift
    fi
  done
  ctr run --runtime io.containerd.runc.v2 --runc-binary "$WORK/bin/$runtime" \
    "${options[@]}" "$IMAGE" "$ID" "$@"
}

task_is() {
  [ "$(ctr tasks list | awk -v id="$ID" '$1 == id { print $3 }')" = "$1" ]
}

@test "run says hello" {
  run ctr_run --rm echo hello
  assert_run 0 hello
}

@test "run hands on the exit status" {
  run ctr_run --rm sh -c 'exit 7'
  assert_run 7
}

@test "run reads standard input" {
  # ctr does not always close the standard input
  run ctr_run --rm head -n 1 <<<'a line'
  assert_run 0 'a line'
}

@test "run -t: a terminal" {
  run terminal '1:tty; exit 3' -- ctr --address /run/containerd/containerd.sock \
    --namespace "$TAG" run --runtime io.containerd.runc.v2 --runc-binary "$WORK/bin/runtime" \
    --rm -t "$IMAGE" "$ID" sh
  assert_run 3
  assert_contains /dev/pts/0
}

@test "run -d, list, ps, exec, kill, delete" {
  ctr_run -d sleep 100
  task_is RUNNING
  run ctr tasks ps "$ID"
  assert_run 0
  [ "${#lines[@]}" -eq 2 ]
  run ctr tasks exec --exec-id one "$ID" sh -c 'echo inside; exit 4'
  assert_run 4 inside
  run ctr tasks exec --exec-id two --user 1000 --cwd /etc "$ID" sh -c 'id -u; pwd'
  assert_run 0 $'1000\n/etc'
  ctr tasks kill --signal KILL "$ID"
  wait_until 10 task_is STOPPED
  run ctr tasks delete "$ID"
  assert_contains 'exit code 137'
  ctr containers delete "$ID"
}

@test "exec -t: a terminal of its own" {
  ctr_run -d sleep 100
  run terminal '1:tty; exit 5' -- ctr --address /run/containerd/containerd.sock \
    --namespace "$TAG" tasks exec -t --exec-id t "$ID" sh
  assert_run 5
  assert_contains /dev/pts/0
}

@test "exec of a missing program, and of one that is not executable" {
  ctr_run -d sleep 100
  run ctr tasks exec --exec-id one "$ID" no-such-program
  assert_run 1
  assert_contains 'OCI runtime exec failed' no-such-program 'executable file not found'
  run ctr tasks exec --exec-id two "$ID" /etc/text
  assert_run 1
  assert_contains /etc/text 'permission denied'
  task_is RUNNING
}

@test "exec in a stopped container" {
  ctr_run -d sleep 100
  ctr tasks kill --signal KILL "$ID"
  wait_until 10 task_is STOPPED
  run ctr tasks exec --exec-id late "$ID" true
  assert_run 1
}

@test "delete of a running task is refused, unless forced" {
  ctr_run -d sleep 100
  run ctr tasks delete "$ID"
  assert_run 1
  task_is RUNNING
  ctr tasks delete --force "$ID" || true
  run task_is RUNNING
  assert_run 1
}

@test "kill: TERM is heard, to all of them too" {
  ctr_run -d sh -c 'trap "exit 6" TERM; while :; do sleep 0.1; done'
  sleep 0.5
  ctr tasks kill --signal TERM "$ID"
  wait_until 10 task_is STOPPED
  run ctr tasks delete "$ID"
  assert_contains 'exit code 6'
  ctr containers delete "$ID"
  ctr_run -d sh -c 'sleep 100 & sleep 100'
  sleep 0.5
  ctr tasks kill --all --signal KILL "$ID"
  wait_until 10 task_is STOPPED
}

@test "pause and resume" {
  ctr_run -d sleep 100
  ctr tasks pause "$ID"
  task_is PAUSED
  ctr tasks resume "$ID"
  task_is RUNNING
}

@test "limits: memory, cpu" {
  has_controller memory
  local groups=/sys/fs/cgroup
  ctr_run -d --memory-limit=67108864 --cpus=0.5 sleep 100
  if [ -d "$groups/memory/$TAG" ]; then
    run cat "$groups/memory/$TAG/$ID/memory.limit_in_bytes" "$groups/cpu/$TAG/$ID/cpu.cfs_quota_us"
    assert_run 0 $'67108864\n50000'
  else
    run cat "$groups/$TAG/$ID/memory.max" "$groups/$TAG/$ID/cpu.max"
    assert_run 0 $'67108864\n50000 100000'
  fi
}

@test "metrics of a task" {
  ctr_run -d sleep 100
  run ctr tasks metrics "$ID"
  assert_run 0
  assert_contains "$ID"
}

@test "options: read-only root, environment, directory" {
  run ctr_run --rm --read-only --env=X=y --cwd=/etc sh -c 'pwd; echo $X; touch /x'
  assert_run 1
  assert_contains /etc y 'Read-only file system'
}

@test "host network, and a bind mount" {
  echo from outside >"$WORK/file"
  run ctr_run --rm --net-host "--mount=type=bind,src=$WORK/file,dst=/file,options=bind:ro" \
    cat /file
  assert_run 0 'from outside'
}

@test "seccomp: the default profile" {
  run ctr_run --rm --seccomp grep Seccomp: /proc/self/status
  assert_run 0 $'Seccomp:\t2'
}

@test "--privileged: all that the machine gives" {
  run ctr_run --rm --privileged grep CapEff /proc/self/status
  assert_run 0
  assert_contains CapEff
}

@test "a missing program, and one that is not executable" {
  run ctr_run --rm no-such-program
  assert_run 1
  assert_contains 'OCI runtime create failed' no-such-program 'executable file not found'
  run ctr_run --rm /etc/text
  assert_run 1
  assert_contains /etc/text 'permission denied'
}

@test "a hook that fails" {
  run ctr_run --runtime runtime-hook --rm echo hello
  assert_run 1
  assert_contains 'OCI runtime create failed' hook 'had enough'
  is_tare || return 0
  [ "${#lines[@]}" -eq 1 ]
}

@test "a limit that the kernel refuses" {
  run ctr_run --runtime runtime-limit --rm echo hello
  assert_run 1
  assert_contains 'OCI runtime create failed' memory
}

@test "a seccomp action that does not exist" {
  run ctr_run --runtime runtime-filter --rm echo hello
  assert_run 1
  assert_contains SCMP_ACT_DANCE
}

@test "one that needs more memory than it may have is killed" {
  has_controller memory
  run ctr_run --rm --memory-limit=16777216 sh -c 'head -c 100000000 /dev/zero | tail'
  assert_run 137
}

@test "the same id again, while the first runs" {
  ctr_run -d sleep 100
  run ctr_run -d sleep 100
  assert_run 1
  assert_contains 'already exists'
  task_is RUNNING
}

@test "checkpoint is refused with a clear line, and the task runs on" {
  is_tare || skip "a runtime that has it needs criu"
  ctr_run -d sleep 100
  run ctr tasks checkpoint "$ID"
  assert_run 1
  task_is RUNNING
}

@test "a directory, a user, a source of a mount that is none, a program for another machine" {
  run ctr_run --rm --cwd=/etc/text true
  assert_run 1
  assert_contains 'OCI runtime create failed' /etc/text
  run ctr_run --rm --mount=type=bind,src=/no/such/source,dst=/x,options=bind true
  assert_run 1
  assert_contains 'OCI runtime create failed' /no/such/source
  [[ ${output,,} == *'no such file or directory'* ]]
  make_foreign "$WORK/other"
  run ctr_run --rm "--mount=type=bind,src=$WORK/other,dst=/bin/other,options=bind" /bin/other
  [ "$status" -ne 0 ]
  assert_contains /bin/other
  [[ ${output,,} == *'exec format error'* ]]
  ctr_run -d sleep 100
  run ctr tasks exec --exec-id one --user nobody-here "$ID" true
  assert_run 1
  assert_contains 'no users found'
}

@test "the page about containerd: what it has a person type" {
  run page_run containerd.md ctr --address /run/containerd/containerd.sock --namespace "$TAG"
  assert_run 0
  assert_contains hello 'uid=0' 137
}
