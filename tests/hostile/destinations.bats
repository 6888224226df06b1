#!/usr/bin/env bats
# Destinations of mounts that lead, or seem to lead, out of the root file system.

load hostile

# A tmpfs at $1, told by its source from all others; the container says where it finds it.
mount_at() {
  config '.root.readonly = false
    | .mounts += [{destination: $to, type: "tmpfs", source: "the-tmpfs", options: ["mode=700"]}]
    | .process.args = ["grep", "-w", "the-tmpfs", "/proc/self/mountinfo"]' --arg to "$1"
}

@test "T01: an absolute link of the image: the mount is inside" {
  make_bundle
  ln -s "$OUT/dir" "$BUNDLE/rootfs/a"
  mount_at /a
  watch
  run_it
  assert_untouched
  assert_success
  [ "$(mounts <<<"$output" | cut -d ' ' -f 1)" = "$OUT/dir" ] # as the container counts
  [ -d "$BUNDLE/rootfs$OUT/dir" ]
  assert_naive_escapes /a/mark
}

@test "T02: '..' ends at the root" {
  make_bundle
  mkdir "$BUNDLE/rootfs/a"
  local destination inside up=../../../../../../../..
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  watch
  while read -r destination inside; do
    cp "$BUNDLE/base.json" "$BUNDLE/config.json"
    mount_at "$destination"
    run_it
    assert_untouched "$destination"
    assert_success
    [ "$(mounts <<<"$output" | cut -d ' ' -f 1)" = "$inside" ] || fail_with "$destination"
  done <<LIST
/$up$OUT/dir $OUT/dir
/a/../../b /b
/a/$up/c/../d /d
/bin/../../$OUT/x $OUT/x
LIST
  assert_naive_escapes "/$up$OUT/dir/mark"
}

@test "T03: a file bound to a dangling link: made inside" {
  make_bundle
  echo bound >"$BUNDLE/file"
  ln -s "$OUT/nonexistent/z" "$BUNDLE/rootfs/f"
  ln -s "../../../../../../..$OUT/new" "$BUNDLE/rootfs/g"
  config '.root.readonly = false | .mounts += [
    {destination: "/f", type: "bind", source: "file", options: ["bind"]},
    {destination: "/g", type: "bind", source: "file", options: ["bind"]}]
    | .process.args = ["cat", "/f", "/g"]'
  watch
  run_it
  assert_untouched
  assert_success
  assert_output $'bound\nbound'
  [ -f "$BUNDLE/rootfs$OUT/nonexistent/z" ]
  ln -s "$OUT/mark" "$BUNDLE/rootfs/mark"
  assert_naive_escapes /mark
}

@test "T04: a chain of 41 links, a loop: an error, at once" {
  make_bundle true
  local i
  mkdir "$BUNDLE/rootfs/end"
  ln -s end "$BUNDLE/rootfs/link1"
  for i in {2..41}; do
    ln -s "link$((i - 1))" "$BUNDLE/rootfs/link$i"
  done
  ln -s loop "$BUNDLE/rootfs/loop"
  ln -s dangling2/x "$BUNDLE/rootfs/dangling1"
  ln -s dangling1/x "$BUNDLE/rootfs/dangling2"
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  local link
  for link in link41 loop dangling1; do
    cp "$BUNDLE/base.json" "$BUNDLE/config.json"
    mount_at "/$link"
    run_it
    assert_refused "mounts[7] '/$link'"
  done
  cp "$BUNDLE/base.json" "$BUNDLE/config.json"
  mount_at /link40
  run_it
  assert_success # as many as the kernel follows
}

@test "T09: a FIFO, a socket, a device as mount points; directory on file and file on directory" {
  make_bundle true
  echo bound >"$BUNDLE/file"
  mkdir "$BUNDLE/directory" "$BUNDLE/rootfs/d"
  mkfifo "$BUNDLE/rootfs/fifo"
  mknod "$BUNDLE/rootfs/device" c 1 3
  perl -MSocket -e 'socket (S, AF_UNIX, SOCK_STREAM, 0) && bind (S, pack_sockaddr_un (shift)) or die' \
    "$BUNDLE/rootfs/socket"
  : >"$BUNDLE/rootfs/regular"
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  config '.mounts += [("fifo", "device", "socket") |
      {destination: ("/" + .), type: "bind", source: "file", options: ["bind"]}]
    | .process.args = ["cat", "/fifo", "/device", "/socket"]'
  run_it
  assert_success
  assert_output $'bound\nbound\nbound'
  local to source words
  while read -r to source words; do
    cp "$BUNDLE/base.json" "$BUNDLE/config.json"
    config '.mounts += [{destination: $to, type: "bind", source: $source, options: ["bind"]}]' \
      --arg to "$to" --arg source "$source"
    run_it
    assert_refused "mounts[7] '$to': $words"
  done <<'LIST'
/regular directory a directory cannot be mounted over what is not a directory
/fifo directory a directory cannot be mounted over what is not a directory
/d file a file cannot be mounted over a directory
LIST
}

@test "T55: root.path: a link is followed, the host's root is refused, by any name" {
  make_bundle true
  mv "$BUNDLE/rootfs" "$BUNDLE/real"
  ln -s real "$BUNDLE/rootfs"
  run_it
  assert_success
  watch
  local path words
  ln -s / "$BUNDLE/slash"
  : >"$BUNDLE/plain"
  while read -r path words; do
    config '.root.path = $path' --arg path "$path"
    run_it
    assert_refused "$words"
    assert_untouched "$path"
  done <<'LIST'
/ is the host's own root directory
slash is the host's own root directory
/.. is the host's own root directory
plain Not a directory
missing No such file or directory
LIST
}

@test "T55: a root on noexec: the program is refused, with 126" {
  make_bundle true
  mkdir "$BUNDLE/mounted"
  config '.root.path = "mounted"'
  # shellcheck disable=SC2016
  run --separate-stderr unshare --mount --propagation private sh -c '
    mount --bind "$0/rootfs" "$0/mounted" && mount -o remount,bind,noexec "$0/mounted" && exec "$@"' \
    "$BUNDLE" "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
  [ "$status" -ne 0 ]
  ! is_tare || assert_error 126 "ermission denied"
  assert_nothing_left
}

@test "T55: a root on a shared mount: nothing appears on the host" {
  make_bundle sleep 1000
  mkdir "$BUNDLE/mounted"
  config '.root.path = "mounted"'
  # shellcheck disable=SC2016
  run --separate-stderr unshare --mount --propagation shared sh -c '
    mount --bind "$0/rootfs" "$0/mounted" && mount --make-shared "$0/mounted" || exit
    grep -F "$0" /proc/self/mountinfo >"$0/before"
    "$@" </dev/null >/dev/null && grep -F "$0" /proc/self/mountinfo >"$0/after"' \
    "$BUNDLE" "$RUNTIME" --root "$ROOT" run --detach --bundle "$BUNDLE" "$ID" 3>&-
  assert_success
  diff "$BUNDLE/before" "$BUNDLE/after" >&2
}

@test "T56: the root as a destination, none, a relative one" {
  only_tare
  make_bundle
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  mkdir "$BUNDLE/rootfs/a"
  ln -s / "$BUNDLE/rootfs/link"
  ln -s .. "$BUNDLE/rootfs/a/up"
  local destination words
  watch
  while IFS='|' read -r destination words; do
    cp "$BUNDLE/base.json" "$BUNDLE/config.json"
    mount_at "$destination"
    run_it
    assert_refused "$words"
    assert_untouched "$destination"
  done <<'LIST'
|mounts[7].destination: is empty
/link|the root itself cannot be mounted over
/a/up|the root itself cannot be mounted over
LIST
  cp "$BUNDLE/base.json" "$BUNDLE/config.json"
  mount_at relative/x
  run_it
  [ "$status" -eq 0 ] || fail_with "relative"
  [ "$(mounts <<<"$output" | cut -d ' ' -f 1)" = /relative/x ]
}

@test "linux.mountLabel, where the host has no SELinux: an error" {
  only_tare
  ! grep -qw selinuxfs /proc/filesystems || skip "this machine has SELinux"
  make_bundle true
  config '.linux.mountLabel = "system_u:object_r:container_file_t:s0"'
  run_it
  assert_refused "linux.mountLabel: 'system_u:object_r:container_file_t:s0': SELinux is not enabled on this host"
}
