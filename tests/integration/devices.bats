#!/usr/bin/env bats
# linux.devices: every type, owners and modes, what is there already, user namespaces.

load helpers
load inside

# The test's bundle in a user namespace: ids 0 to 999 are 100000 to 100999 outside.
user_namespace() {
  config '.linux.namespaces += [{type: "user"}]
    | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
    | .linux.gidMappings = .linux.uidMappings'
  chown -R 100000:100000 "$BUNDLE/rootfs"
  chmod 711 "$WORK"
}

@test "c, u, b and p, with owner and mode, whatever the umask and the directory's ACL" {
  make_bundle sh
  config '.linux.devices = [
    {path: "/dev/c", type: "c", major: 1, minor: 3, fileMode: 438, uid: 7, gid: 8},
    {path: "/dev/u", type: "u", major: 1, minor: 5, fileMode: 146},
    {path: "/srv/b", type: "b", major: 7, minor: 300, fileMode: 25008, uid: 0, gid: 6},
    {path: "/srv/p", type: "p", fileMode: 511, uid: 3},
    {path: "/dev/mode", type: "c", major: 1, minor: 3}]'
  umask 077
  mkdir "$BUNDLE/rootfs/srv"
  chmod 755 "$BUNDLE/rootfs/srv"
  if command -v setfacl >/dev/null; then
    setfacl -d -m u::r,g::-,o::- "$BUNDLE/rootfs/srv"
  fi
  inside 'cd /; stat -c "%n %F %a %t:%T %u:%g" dev/c dev/u srv/b srv/p dev/mode'
  umask 022
  diff - <(echo "$output") <<'ROWS' >&2
dev/c character special file 666 1:3 7:8
dev/u character special file 222 1:5 0:0
srv/b block special file 660 7:12c 0:6
srv/p fifo 777 0:0 3:0
dev/mode character special file 666 1:3 0:0
ROWS
}

@test "what is there already: the same device gets owner and mode; anything else is an error" {
  only_tare # the others keep whatever there is
  make_bundle sh
  config 'del (.mounts[] | select (.destination | startswith ("/dev")))'
  mkdir "$BUNDLE/rootfs/dev"
  mknod -m 600 "$BUNDLE/rootfs/dev/zero" c 1 5
  mknod -m 600 "$BUNDLE/rootfs/dev/mine" c 1 5
  chown 5:5 "$BUNDLE/rootfs/dev/zero" "$BUNDLE/rootfs/dev/mine"
  config '.linux.devices = [{path: "/dev/mine", type: "c", major: 1, minor: 5, fileMode: 416, uid: 1, gid: 2}]'
  inside 'stat -c "%n %a %u:%g" /dev/zero /dev/mine'
  assert_output $'/dev/zero 600 5:5\n/dev/mine 640 1:2'
  config '.linux.devices = [{path: "/dev/mine", type: "b", major: 1, minor: 5}]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "linux.devices[0] '/dev/mine': exists and is not block device 1:5"
  config '.linux.devices = [{path: "/dev/mine", type: "c", major: 1, minor: 6}]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "linux.devices[0] '/dev/mine': exists and is not character device 1:6"
  config '.linux.devices = [{path: "/etc/file", type: "p"}]'
  mkdir "$BUNDLE/rootfs/etc"
  echo text >"$BUNDLE/rootfs/etc/file"
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "linux.devices[0] '/etc/file': exists and is not a fifo"
  [ "$(cat "$BUNDLE/rootfs/etc/file")" = text ]
  config '.linux.devices = [{path: "/dev/a", type: "c", major: 1, minor: 3},
                            {path: "/dev/a", type: "c", major: 1, minor: 5}]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "linux.devices[1] '/dev/a': exists and is not character device 1:5"
  assert_nothing_left
}

@test "what cannot be a device is refused before anything is made" {
  only_tare
  make_bundle true
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  local device words
  while read -r device words; do
    cp "$BUNDLE/base.json" "$BUNDLE/config.json"
    config '.linux.devices = [$device]' --argjson device "$device"
    run_rt run --bundle "$BUNDLE" "$ID"
    assert_error 1 "$words"
  done <<'LIST'
{"path":"/dev/x","type":"a"} linux.devices[0].type
{"path":"/dev/x","type":"u"} linux.devices[0] '/dev/x': type u needs major and minor
{"path":"/dev/x","type":"b","major":7} linux.devices[0] '/dev/x': type b needs major and minor
{"path":"dev/x","type":"p"} linux.devices[0].path: 'dev/x' is not absolute
{"path":"/dev/x","type":"c","major":4096,"minor":0} 4096:0 is not a device number (0:0 to 4095:1048575)
{"path":"/dev/x","type":"c","major":1,"minor":-1} 1:-1 is not a device number
{"path":"/dev/x","type":"c","major":1,"minor":3,"uid":4294967295} linux.devices[0].uid
LIST
}

@test "user namespace: the host's nodes, bound; fifos are made" {
  make_bundle sh
  user_namespace
  config '.linux.devices = [{path: "/dev/pipe", type: "p", fileMode: 384, uid: 5, gid: 6}]'
  inside 'cd /dev; for f in null zero full random urandom tty; do stat -c "%n %F %t:%T" $f; done
    stat -c "%F %a %u:%g" pipe; echo x >null && head -c 2 zero | wc -c'
  diff - <(echo "$output") <<'ROWS' >&2
null character special file 1:3
zero character special file 1:5
full character special file 1:7
random character special file 1:8
urandom character special file 1:9
tty character special file 5:0
fifo 600 5:6
2
ROWS
}

@test "user namespace: a node that the host has not under that path is found by its number" {
  only_tare
  make_bundle sh
  user_namespace
  config '.linux.devices = [{path: "/srv/nil", type: "c", major: 1, minor: 3}]
    | .process.args = ["stat", "-c", "%F %t:%T", "/srv/nil"]'
  # a /dev as udev keeps it, in a mount namespace of its own
  mkdir -p "$BUNDLE/dev/char"
  cp -a /dev/{null,zero,full,random,urandom,tty} "$BUNDLE/dev"
  run --separate-stderr unshare --mount sh -c 'mount --bind "$0" /dev && exec "$@"' "$BUNDLE/dev" \
    "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
  assert_error 1 "linux.devices[0] '/srv/nil': the host's node: No such file or directory"
  ln -s ../null "$BUNDLE/dev/char/1:3"
  run --separate-stderr unshare --mount sh -c 'mount --bind "$0" /dev && exec "$@"' "$BUNDLE/dev" \
    "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
  assert_success
  assert_output "character special file 1:3"
  rm "$BUNDLE/dev/char/1:3"
  ln -s ../zero "$BUNDLE/dev/char/1:3" # a link that lies
  run --separate-stderr unshare --mount sh -c 'mount --bind "$0" /dev && exec "$@"' "$BUNDLE/dev" \
    "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
  assert_error 1 "the host's node"
}
