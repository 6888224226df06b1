#!/usr/bin/env bats
# The virtual machine of tests/vm is what the tests there take it for.
# guest: only

load helpers

@test "the guest: systemd, cgroup v2 with every controller, every capability, AppArmor, a user" {
  [ "$TARE_GUEST" = 1 ]
  [ "$(cat /proc/1/comm)" = systemd ]
  [ "$(systemctl show --property Version)" != "" ]
  [ "$(stat --file-system --format %T /sys/fs/cgroup)" = cgroup2fs ]
  local name
  for name in cpuset cpu io memory hugetlb pids rdma misc; do
    grep -qw "$name" /sys/fs/cgroup/cgroup.controllers
  done
  [ "$(awk '/^CapEff/ { print $2 }' /proc/self/status)" = 000001ffffffffff ]
  [ "$(cat /sys/module/apparmor/parameters/enabled)" = Y ]
  [ "$(id -u user)" = 1000 ]
  grep -q '^user:' /etc/subuid
  grep -q '^user:' /etc/subgid
}

@test "a container runs there, with limits of every controller that the machine here keeps on v1" {
  make_bundle sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.weight'
  config '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 20}, cpu: {shares: 2048}}'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  assert_output $'67108864\n20\n174'
  assert_nothing_left
}

@test "what CAP_SYS_RESOURCE allows: a hard limit above the caller's, a lower oom_score_adj; exec too" {
  make_bundle sh -c 'ulimit -Hn; cat /proc/self/oom_score_adj; exec sleep 1000'
  config '.process.rlimits = [{type: "RLIMIT_NOFILE", hard: 4096, soft: 2048}] | .process.oomScoreAdj = -500'
  prlimit --nofile=512:512 "$RUNTIME" --root "$ROOT" run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
  has_said() { [ "$(wc -l <"$BUNDLE/out")" -eq 2 ]; }
  wait_until 10 has_said
  run prlimit --nofile=512:512 "$RUNTIME" --root "$ROOT" exec "$ID" sh -c 'ulimit -Hn; cat /proc/self/oom_score_adj' </dev/null 3>&-
  assert_success
  assert_output $'4096\n-500'
  [ "$(cat "$BUNDLE/out")" = $'4096\n-500' ]
}
