#!/usr/bin/env bats
# What a container can get at of the process that enters it, while exec is on its way: T31, T32. The
# process is stopped at the worst places, so the container has all the time it wants.

load ../integration/helpers
load ../integration/inside

FAULTY=${top_builddir:-$TOP/build}/tests/tare-faults

setup_file() {
  is_tare || skip "the runtime is stopped at steps of tare's own"
  file_begin
}

# begin FILTER [ARGUMENT...]: a running container
begin() {
  make_bundle sleep 1000
  cp "$(tool attack)" "$BUNDLE/rootfs/bin/attack"
  config "$@"
  create || fail_with "create: $(cat "$BUNDLE/err")"
  rt start "$ID"
}

all='["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_SYS_ADMIN", "CAP_KILL"]'

# Everybody in the container's group but its init: the process that enters.
entering() {
  rt ps --format json "$ID" | jq -r --argjson init "$(pid_of "$ID")" '.[] | select(. != $init)'
}

is_at() {
  [ -n "$(entering)" ] && [ "$(cut -d ' ' -f 3 "/proc/$(entering)/stat")" = S ] &&
    grep -q "pause\|^34 " "/proc/$(entering)/syscall"
}

# attacked STEP: in $output what an attacker in the container finds while exec waits at that step
attacked() {
  TARE_FAULT=init:$1:stop SECRET=of-the-host "$FAULTY" --root "$ROOT" exec --env INSIDE=1 "$ID" sleep 1000 </dev/null >"$BUNDLE/said" 2>&1 3>&- &
  local caller=$!
  wait_until 30 is_at
  run_rt exec "$ID" attack
  kill "$(entering)"
  kill -9 "$(entering)" 2>/dev/null || true
  wait $caller || true
  assert_success
  [[ $output == process* ]] || fail_with "the attacker saw nobody"
}

steps="session environment credentials ready executing execute"

@test "T32 without CAP_SYS_PTRACE: every look is refused" {
  begin '.process.capabilities = {bounding: $all, permitted: $all, effective: $all}' --argjson all '["CAP_DAC_OVERRIDE", "CAP_KILL"]'
  local step
  for step in $steps; do
    attacked $step
    [ "$(grep -cv '^process\|Permission denied$\|Operation not permitted$' <<<"$output")" -eq 0 ] || fail_with "$step"
  done
}

@test "T32 with a user namespace of its own and every capability in it: every look is refused" {
  chmod 755 "$WORK"
  make_bundle sleep 1000
  chown -R 100000:100000 "$BUNDLE/rootfs"
  rm -rf "$WORK/owned"
  mv "$BUNDLE/rootfs" "$WORK/owned"
  cp "$(tool attack)" "$WORK/owned/bin/attack"
  config '.root.path = $root | .linux.namespaces += [{type: "user"}]
    | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
    | .process.capabilities = {bounding: $all, permitted: $all, effective: $all}' --arg root "$WORK/owned" --argjson all "$all"
  create || fail_with "create: $(cat "$BUNDLE/err")"
  rt start "$ID"
  local step
  for step in $steps; do
    attacked $step
    [ "$(grep -cv '^process\|Permission denied$\|Operation not permitted$' <<<"$output")" -eq 0 ] || fail_with "$step"
  done
}

# Here the kernel lets the container look, which is the control of the two above; so there must be
# nothing to be had.
@test "T31, T32 with CAP_SYS_PTRACE in the host's user namespace: nothing of the host is found" {
  begin '.process.capabilities = {bounding: $all, permitted: $all, effective: $all}' --argjson all "$all"
  local step
  for step in $steps; do
    attacked $step
    grep -q '^exe opened file /memfd:tare-init' <<<"$output" || fail_with "$step: it saw no program: the test fires no more"
    grep -q '^exe-write Text file busy$\|^exe-write Operation not permitted$' <<<"$output" || fail_with "$step: exe"
    ! grep -q 'of-the-host' <<<"$output" || fail_with "$step: an environment"
    ! grep '^fd.* opened directory' <<<"$output" | grep -v ' /$' || fail_with "$step: a directory"
    ! grep -v '^fd/[012] ' <<<"$output" | grep -F "$WORK" || fail_with "$step: a path of the host" # but its streams
    [ "$(grep '^cwd opened\|^root opened' <<<"$output" | grep -cv ' /$')" -eq 0 ] || fail_with "$step: cwd or root"
  done
}
