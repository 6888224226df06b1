#!/usr/bin/env bats
# A root that is moved instead of pivoted to (--no-pivot, for hosts whose root is a ramdisk): nothing
# of the host's is within reach.

load helpers
load inside

# The kernel grants a new procfs or sysfs to a user namespace where a whole one, without masks, is
# mounted in the mount namespace already, out of sight or not.
new_filesystems() {
  config '.process.user = {uid: 1000, gid: 1000} | .process.args = ["sh", "-c", $script]' \
    --arg script 'mkdir -p /dev/shm/p; for t in proc sysfs; do
      unshare -r -m -p -n -f mount -o ro,nosuid,nodev,noexec -t $t new /dev/shm/p 2>/dev/null && echo new $t
    done; true'
}

assert_no_new_filesystems() {
  local how
  for how in pivoted moved; do
    run_root $how
    assert_success
    [ -z "$output" ] || fail_with "$how: $output without its masks"
  done
}

@test "nobody inside gets a procfs or a sysfs without masks from the kernel" {
  make_bundle sh
  new_filesystems
  assert_no_new_filesystems
  # the control: where nothing is masked, the kernel grants both
  config '.linux.maskedPaths = [] | .linux.readonlyPaths = []
    | .mounts |= map (select (.type != "cgroup"))'
  run_root pivoted
  assert_output $'new proc\nnew sysfs'
}

@test "nor in a user namespace, where the host's mounts are locked" {
  make_bundle sh
  new_filesystems
  chmod 755 "$WORK"
  chown -R 100000:100000 "$BUNDLE/rootfs"
  config '.linux.namespaces += [{type: "user"}]
    | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
  assert_no_new_filesystems
}

@test "nothing of the host's is seen, masks and read-only paths hold, the host keeps its mounts" {
  make_bundle sh -c 'touch /x 2>/dev/null; (echo x >/proc/sys/kernel/core_pattern) 2>/dev/null
    cat /proc/keys /proc/timer_list 2>/dev/null
    cd /..; ls -d /inside ../inside /proc/1/root/inside; cd /proc/1/cwd; ls -d ../../inside; echo ===; cat /proc/self/mountinfo'
  touch "$BUNDLE/rootfs/inside"
  local how before
  before=$(cut -d ' ' -f 4,5 /proc/self/mountinfo | grep -v "/tmp/t[a-z]*[0-9]")
  for how in pivoted moved; do
    run_root $how
    assert_success
    [ "${output%%$'\n'===*}" = $'../inside\n/inside\n/proc/1/root/inside\n../../inside' ] || fail_with "$how"
    mounts <<<"${output#*===$'\n'}" | sed 's/ .*//' | sort >"$BUNDLE/$how"
  done
  diff "$BUNDLE/pivoted" "$BUNDLE/moved"
  [ "$(cut -d ' ' -f 4,5 /proc/self/mountinfo | grep -v "/tmp/t[a-z]*[0-9]")" = "$before" ]
}

@test "the host's own procfs and sysfs stay where its mounts are shared, and stacked ones are all gone" {
  make_bundle sh
  new_filesystems
  mkdir "$BUNDLE/other proc"
  run unshare --mount --propagation shared bash -c "
    mount -t proc proc /proc && mount -t proc proc '$BUNDLE/other proc'
    count() { grep -cE ' - (proc|sysfs) ' /proc/self/mountinfo; }
    n=\$(count)
    '$RUNTIME' --root '$ROOT' run --no-pivot --bundle '$BUNDLE' '$ID' </dev/null &&
      [ -e /proc/version ] && [ \$(count) -eq \$n ]" 3>&-
  assert_success
  assert_output ""
}

@test "a private or unbindable root is refused, with the reason; the others are not" {
  make_bundle true
  local value
  for value in private rprivate unbindable runbindable; do
    config '.linux.rootfsPropagation = $value' --arg value $value
    run_root moved
    [ "$status" -ne 0 ] || fail_with "$value"
    ! is_tare || assert_error 1 "linux.rootfsPropagation: private and unbindable are not safe with --no-pivot"
  done
  for value in slave rslave shared rshared; do
    config '.linux.rootfsPropagation = $value' --arg value $value
    run_root moved
    assert_success
  done
  assert_nothing_left
}
