#!/usr/bin/env bats
# A container in a container, and file systems that the kernel keeps from a user namespace: what
# stands in for them, and what the error says.

load helpers
load inside

setup_file() {
  file_begin
  chmod 755 "$WORK"
}

# The runtime as the program of a container: an outer one that may do what a container manager needs,
# and an inner bundle, all in the outer root file system.
make_nested() {
  make_bundle sh
  mkdir -p "$BUNDLE/rootfs/inner" "$BUNDLE/rootfs/tmp"
  cp -al "$WORK/rootfs" "$BUNDLE/rootfs/inner/rootfs"
  # a shared build's libraries too
  local library
  for library in $(ldd "$RUNTIME" 2>/dev/null | grep -o '/[^ ]*' || true); do
    mkdir -p "$BUNDLE/rootfs$(dirname "$library")"
    cp -L "$library" "$BUNDLE/rootfs$library"
  done
  cp "$RUNTIME" "$BUNDLE/rootfs/runtime"
  "$RUNTIME" spec --bundle "$BUNDLE/rootfs/inner"
  inner '.process.terminal = false | .process.args = ["sh", "-c", "stat -f -c %T /proc"]
    | .mounts |= map (select (.type != "cgroup")) | .linux.namespaces |= map (select (.type != "cgroup"))'
  # every capability, in a user namespace of its own
  config '.root.readonly = false
    | .process.capabilities |= map_values ($caps) | .linux.namespaces += [{type: "user"}]
    | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
    | .process.args = ["/runtime", "--root", "/tmp/state", "--cgroup-manager", "disabled", "run", "--bundle", "/inner", "inner"]' \
    --argjson caps "$(capsh --decode=1ffffffffff | sed 's/.*=//' | jq -R 'split (",") | map (ascii_upcase)')"
  chown -R 100000:100000 "$BUNDLE/rootfs"
}

# Edits the inner config.
inner() {
  local filter=$1
  shift
  jq "$filter" "$@" "$BUNDLE/rootfs/inner/config.json" >"$BUNDLE/inner.new"
  cat "$BUNDLE/inner.new" >"$BUNDLE/rootfs/inner/config.json"
}

user_namespace='.linux.namespaces += [{type: "user"}]
  | .linux.uidMappings = [{containerID: 0, hostID: ($first | tonumber), size: 1000}]
  | .linux.gidMappings = .linux.uidMappings'

in_user_namespace() {
  make_bundle sh
  chown -R 100000:100000 "$BUNDLE/rootfs"
  config "$user_namespace" --arg first 100000
}

# without KIND...: in the caller's namespaces of these kinds.
without() {
  config '.linux.namespaces |= map (select (.type | IN ($kinds[]) | not))' \
    --argjson kinds "$(printf '%s\n' "$@" | jq -R . | jq -s .)"
}

hint="in a user namespace there is a new procfs only while no part of the existing /proc is covered"

@test "sysfs: a user namespace without a network of its own gets the host's, read-only all through" {
  only_tare # runc has no fallback
  in_user_namespace
  without network
  inside 'cat /proc/self/mountinfo; echo ===; ls -d /sys/class; ls -A /sys/firmware
    for d in /sys /sys/fs /sys/fs/cgroup /sys/kernel; do ! mkdir $d/made || echo "writable: $d"; done 2>&1 |
      grep -v "Read-only file system"; true'
  local mounts=${output%%$'\n'===*} point
  mounts=$(mounts <<<"$mounts")
  [ "${output#*===$'\n'}" = /sys/class ] # and the mask is in force
  [ "$(mount_column /sys 2)" = sysfs ]
  for point in $(awk '$1 == "/sys" || $1 ~ "^/sys/" { print $1 }' <<<"$mounts"); do
    has_option "$(mount_column "$point" 5)" ro || fail_with "$point can be written"
  done
  # the control: with a network of its own it has a sysfs of its own
  config '.linux.namespaces += [{type: "network"}]'
  inside 'ls /sys/class/net'
  assert_output lo
}

@test "proc: a user namespace without processes of its own gets the host's, masked; with them, its own" {
  only_tare # runc has no fallback
  in_user_namespace
  without pid
  inside 'readlink /proc/self; echo $$; stat -f -c %T /proc; cat /proc/keys; (echo x >/proc/sys/kernel/core_pattern) 2>/dev/null || echo no'
  [ "${lines[0]}" -gt 1 ]
  [ "${lines[1]}" -gt 1 ]
  [ "${lines[*]:2}" = "proc no" ]
}

@test "proc: where the host's is masked, there is none in a user namespace, and the error says why" {
  in_user_namespace
  run --separate-stderr unshare --mount --propagation private bash -c \
    "mount -t tmpfs -o ro tmpfs /proc/tty && '$RUNTIME' --root '$ROOT' run --bundle '$BUNDLE' '$ID'" 3>&- </dev/null
  [ "$status" -ne 0 ]
  ! is_tare || assert_error 1 "mounts[0] '/proc': $hint"
  assert_nothing_left
  # masked or not, without a user namespace there is one
  config 'del (.linux.uidMappings, .linux.gidMappings) | .process.args = ["stat", "-f", "-c", "%T", "/proc"]'
  without user
  run --separate-stderr unshare --mount --propagation private bash -c \
    "mount -t tmpfs -o ro tmpfs /proc/tty && '$RUNTIME' --root '$ROOT' run --bundle '$BUNDLE' '$ID'" 3>&- </dev/null
  assert_success
  assert_output proc
}

@test "a container in a container: the masks of the outer one keep a procfs from the inner one, with a hint" {
  only_tare
  make_nested
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success # in the same user namespace
  assert_output proc
  inner "$user_namespace" --arg first 0
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "mounts[0] '/proc': $hint"
  # what sees the processes of the outer one can have its procfs, with all its masks
  cp "$BUNDLE/rootfs/inner/config.json" "$BUNDLE/inner.json"
  inner '.linux.namespaces |= map (select (.type != "pid")) | .linux.maskedPaths = []
    | .process.args[2] += "; cat /proc/keys; ls -A /proc/acpi; ls -A /sys/firmware"'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  assert_output proc
  # and where the outer one has no masks, the inner one may have its own
  cp "$BUNDLE/inner.json" "$BUNDLE/rootfs/inner/config.json"
  config '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  assert_output proc
}
