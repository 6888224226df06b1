#!/usr/bin/env bats
# A mount whose destination is / is the container's root: an image's layers as overlay, a directory, a
# tmpfs that is filled by other mounts.

load helpers
load inside

setup() {
  only_tare
  test_begin
}

# first MOUNT: puts it before the others
first() {
  config ".mounts = [$1] + .mounts | .root.readonly = false"
}

root_mount() {
  awk '$5 == "/" { root = $0 } END { print root }' <<<"$output"
}

@test "layers as overlay, relative to the bundle: read from below, written above" {
  make_bundle sh -c 'cat /one /two; cat /proc/self/mountinfo; echo new >/three; rm /two; ls /proc/self >/dev/null && echo proc'
  mkdir -p "$BUNDLE"/{a,b,upper,work}
  mv "$BUNDLE/rootfs/bin" "$BUNDLE/b/bin"
  echo lower >"$BUNDLE/b/one"
  echo lower >"$BUNDLE/b/two"
  echo higher >"$BUNDLE/a/one"
  first '{destination: "/", type: "overlay", source: "overlay", options: ["lowerdir=a:b", "upperdir=upper", "workdir=work"]}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [ "${lines[0]} ${lines[1]}" = "higher lower" ]
  [ "${lines[-1]}" = proc ]
  [[ $(root_mount) == *" - overlay overlay "*"lowerdir=$BUNDLE/a:$BUNDLE/b"* ]] || fail_with "$(root_mount)"
  [ "$(cat "$BUNDLE/upper/three")" = new ]
  [ -c "$BUNDLE/upper/two" ] # a whiteout
  [ "$(cat "$BUNDLE/b/two")" = lower ]
  [ -z "$(ls -A "$BUNDLE/rootfs")" ]
}

@test "a bind mount and a tmpfs as the root; read-only where root.readonly says so" {
  make_bundle sh -c 'cat /mark; echo x >/y && echo written'
  cp -a "$BUNDLE/rootfs" "$BUNDLE/other"
  echo other >"$BUNDLE/other/mark"
  first '{destination: "/", type: "bind", source: "other", options: ["rbind"]}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output $'other\nwritten'
  [ -e "$BUNDLE/other/y" ]
  config '.root.readonly = true'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "${lines[0]}" = other ]
  [[ $stderr == *"Read-only file system"* ]]
  config '.mounts[0] = {destination: "/", type: "tmpfs", source: "tmpfs", options: ["mode=755"]} | .root.readonly = false
    | .mounts += [{destination: "/bin", type: "bind", source: "other/bin", options: ["bind"]}]
    | .process.args = ["/bin/sh", "-c", "echo /*"]'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output '/bin /dev /proc /sys'
}

@test "layers that are not there, and a root that comes too late: one line, nothing left" {
  make_bundle true
  first '{destination: "/", type: "overlay", source: "overlay", options: ["lowerdir=none"]}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "mounts[0] '/'"
  assert_nothing_left
  config '.mounts = .mounts[1:] + [{destination: "/", type: "tmpfs", source: "tmpfs"}]'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "would hide mounts[0] /proc"
  assert_nothing_left
}
