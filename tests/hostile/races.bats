#!/usr/bin/env bats
# Somebody exchanges files while the runtime sets a container up: not now and then, but at every
# call that uses a path, one run each (tests/lib/swap.c). T60 to T65.

load hostile

# race KEY SETUP CHECK PAIR...: runs the test's bundle until each use of a path with KEY in it has
# met the exchange; SETUP puts the files in their places before each run. CHECK looks at each that
# went well. Whatever came of it, the host is as it was.
race() {
  local key=$1 setup=$2 check=$3 n=1
  shift 3
  local runs=0
  while true; do
    $setup
    watch
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 run --separate-stderr timeout 120 "$(tool swap)" "$key" \
      "$n" "$BUNDLE/count" "$@" -- "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
    [ "$status" -lt 124 ] || fail_with "exchanged at $n"
    assert_untouched "exchanged at $n"
    assert_nothing_left
    if [ "$status" -eq 0 ]; then
      $check || fail_with "exchanged at $n"
    fi
    runs=$((runs + 1))
    [ "$n" -le "$(cat "$BUNDLE/count")" ] || break
    n=$((n + 1))
  done
  # the last one met no exchange
  [ "$status" -eq 0 ] || fail_with "without an exchange"
  [ "$runs" -gt 2 ] || fail_with "$runs runs"
}

# No more than what the test is about.
small_bundle() {
  make_bundle "$@"
  config '.root.readonly = false | .linux.maskedPaths = [] | .linux.readonlyPaths = []
    | .mounts |= map (select (.destination == "/proc"))'
  VOLUME=$BUNDLE/rootfs/volume
}

# ---- the control ---------------------------------------------------------------------------------

control_setup() {
  rm -rf "$VOLUME"
  mkdir -p "$VOLUME/victim"
  ln -s "$OUT/dir" "$VOLUME/link"
}

@test "the control: who looks first and then uses the path gets out" {
  small_bundle true
  local n escapes=0
  for n in 1 2 3; do
    control_setup
    "$(tool swap)" volume/victim $n "$BUNDLE/count" "$VOLUME/victim:$VOLUME/link" -- \
      "$(tool naive)" "$BUNDLE/rootfs" /volume/victim || true
    [ ! -e "$OUT/dir/made" ] || escapes=$((escapes + 1))
    rm -f "$OUT/dir/made"
  done
  [ $escapes -gt 0 ]
}

# ---- T60, T61, T62: mount points -----------------------------------------------------------------

tmpfs_is_inside() {
  [ "$(mounts <<<"$output" | awk '$3 == "the-tmpfs" && $1 ~ "^/"' | wc -l)" -eq 1 ]
}

@test "T60: a mount point and a link exchanged, once and back again" {
  only_tare
  small_bundle grep -w the-tmpfs /proc/self/mountinfo
  config '.mounts += [{destination: "/volume/victim", type: "tmpfs", source: "the-tmpfs", options: ["mode=700"]}]'
  local pair=$VOLUME/victim:$VOLUME/link
  race volume/victim control_setup tmpfs_is_inside "$pair"
  race volume/victim control_setup tmpfs_is_inside "$pair" "$pair"
}

new_setup() {
  rm -rf "$VOLUME"
  mkdir -p "$VOLUME/parent"
  ln -s "$OUT/dir" "$VOLUME/link"
}

@test "T61: a mount point to be made, whose parent is exchanged for a link" {
  only_tare
  small_bundle grep -w the-tmpfs /proc/self/mountinfo
  config '.mounts += [{destination: "/volume/parent/a/b", type: "tmpfs", source: "the-tmpfs"}]'
  local pair=$VOLUME/parent:$VOLUME/link
  race parent new_setup tmpfs_is_inside "$pair"
  race parent new_setup tmpfs_is_inside "$pair" "$pair"
  # and the first that was made
  race parent new_setup tmpfs_is_inside "$VOLUME/parent/a:$VOLUME/link"
}

file_setup() {
  rm -rf "$VOLUME"
  mkdir -p "$VOLUME"
  : >"$VOLUME/regular"
  ln -s "$OUT/secret" "$VOLUME/link"
}

@test "T62: a file as mount point: missing, then a file, then a link" {
  only_tare
  small_bundle cat /volume/victim
  echo bound >"$BUNDLE/file"
  config '.mounts += [{destination: "/volume/victim", type: "bind", source: "file", options: ["bind", "ro"]}]'
  race victim file_setup true "$VOLUME/victim:$VOLUME/regular" "$VOLUME/victim:$VOLUME/link"
  race victim file_setup true "$VOLUME/victim:$VOLUME/link" "$VOLUME/victim:$VOLUME/regular"
}

# ---- T63: /dev -----------------------------------------------------------------------------------

dev_setup() {
  rm -rf "$BUNDLE/rootfs/dev" "$BUNDLE/rootfs/link"
  mkdir -p "$BUNDLE/rootfs/dev"
  ln -s "$OUT/dir" "$BUNDLE/rootfs/link"
}

null_setup() {
  dev_setup
  ln -sfn "$OUT/secret" "$BUNDLE/rootfs/null-link"
}

@test "T63: /dev, and a node in it, exchanged for links" {
  only_tare
  small_bundle true
  config '.linux.devices = [{path: "/dev/victim", type: "c", major: 1, minor: 3, fileMode: 511, uid: 7, gid: 7}]'
  local pair=$BUNDLE/rootfs/dev:$BUNDLE/rootfs/link
  race /dev/victim dev_setup true "$pair"
  race victim dev_setup true "$pair" "$pair"
  race victim null_setup true "$BUNDLE/rootfs/dev/victim:$BUNDLE/rootfs/null-link"
}

# ---- T64: /proc ----------------------------------------------------------------------------------

proc_setup() {
  rm -rf "$BUNDLE/rootfs/proc" "$BUNDLE/rootfs/volume"
  mkdir -p "$BUNDLE/rootfs/proc" "$VOLUME/fake/self"
  rm -rf "$BUNDLE/rootfs/link"
  ln -s volume/fake "$BUNDLE/rootfs/link"
}
proc_is_proc() {
  [ "$output" = $'proc\n1:3' ]
}

@test "T64: /proc exchanged for a link into a volume: it is a procfs, and masked, or there is none" {
  only_tare
  small_bundle sh -c 'stat -f -c %T /proc; stat -c %t:%T /proc/keys'
  config '.linux.maskedPaths = ["/proc/keys"]'
  [ -e /proc/keys ] || config '.linux.maskedPaths = ["/proc/meminfo"] | .process.args[2] |= sub ("keys"; "meminfo")'
  local pair=$BUNDLE/rootfs/proc:$BUNDLE/rootfs/link
  race /proc proc_setup proc_is_proc "$pair"
}

# ---- T65: the flags of a mount -------------------------------------------------------------------

flags_setup() {
  rm -rf "$VOLUME"
  mkdir -p "$VOLUME/victim" "$VOLUME/other"
}
flags_are_right() {
  local options
  options=$(mounts <<<"$output" | awk '$3 == "the-tmpfs" { print $5 }')
  local option
  for option in ro nosuid nodev noexec; do
    has_option "$options" $option || return 1
  done
}

@test "T65: the mount point exchanged between mounting and its flags" {
  only_tare
  small_bundle grep -w the-tmpfs /proc/self/mountinfo
  config '.mounts += [
    {destination: "/volume/victim", type: "tmpfs", source: "the-tmpfs", options: ["ro", "nosuid", "nodev", "noexec"]},
    {destination: "/volume/victim/below", type: "tmpfs", source: "below"}]'
  local pair=$VOLUME/victim:$VOLUME/other
  race volume/victim flags_setup flags_are_right "$pair"
}

# ---- /etc/passwd ---------------------------------------------------------------------------------

passwd_setup() {
  rm -f "$BUNDLE"/rootfs/etc/*
  echo 'root:x:0:0:root:/from-image:/bin/sh' >"$BUNDLE/rootfs/etc/passwd"
  ln -s /proc/sys/kernel/hostname "$BUNDLE/rootfs/etc/link"
}

home_is_of_a_file() {
  [ "$output" = /from-image ] || [ "$output" = / ]
}

@test "/etc/passwd becomes a link to what the kernel makes up: it is not read" {
  # shellcheck disable=SC2016
  small_bundle sh -c 'echo $HOME'
  mkdir "$BUNDLE/rootfs/etc"
  config '.hostname = "r:x:0:0:r:/from-proc:" | .process.env |= map (select (startswith ("HOME=") | not))'
  race /etc/passwd passwd_setup home_is_of_a_file "$BUNDLE/rootfs/etc/passwd:$BUNDLE/rootfs/etc/link"
}
