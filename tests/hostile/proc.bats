#!/usr/bin/env bats
# A /proc or /sys that is not what it seems (CVE-2019-16884, CVE-2019-19921, CVE-2025-52881).

load hostile

@test "T10, T11: /proc or /sys is a link: refused" {
  only_tare
  local name target
  while read -r name target; do
    new_bundle true
    mkdir -p "$BUNDLE/rootfs/x"
    ln -s "$target" "$BUNDLE/rootfs/$name"
    watch
    run_it
    assert_untouched "$name -> $target"
    assert_refused "'/$name': a symbolic link is in the way"
  done <<LIST
proc x
proc $OUT/dir
proc ../../outside/dir
sys x
sys $OUT/dir
LIST
}

@test "T12: /proc is a file: refused" {
  make_bundle true
  : >"$BUNDLE/rootfs/proc"
  run_it
  assert_refused "mounts[0] '/proc'"
}

@test "T13, T14: something else mounted on /proc: refused" {
  only_tare
  make_bundle true
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  mkdir "$BUNDLE/fake"
  local mount
  watch
  while read -r mount; do
    cp "$BUNDLE/base.json" "$BUNDLE/config.json"
    config '.mounts[0] = $mount' --argjson mount "$mount"
    run_it
    assert_refused "is not a procfs"
    cp "$BUNDLE/base.json" "$BUNDLE/config.json"
    config '.mounts += [$mount]' --argjson mount "$mount"
    run_it
    assert_refused "is not a procfs"
  done <<'LIST'
{"destination":"/proc","type":"tmpfs","source":"fake"}
{"destination":"/proc","type":"bind","source":"fake","options":["rbind"]}
{"destination":"/proc","type":"bind","source":"/proc/self","options":["bind"]}
{"destination":"/proc/","type":"bind","source":"/proc/sys","options":["bind"]}
{"destination":"/./proc","type":"tmpfs","source":"fake"}
LIST
  assert_untouched
}

@test "T15, T16: a mount inside /proc, by whatever name: refused, but for lxcfs' files" {
  only_tare
  make_bundle true
  ln -s proc/self/attr "$BUNDLE/rootfs/link"
  : >"$BUNDLE/file"
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  local destination type
  while read -r type destination; do
    cp "$BUNDLE/base.json" "$BUNDLE/config.json"
    config '.mounts += [{destination: $to, type: $type, source: "file", options: []}]' \
      --arg to "$destination" --arg type "$type"
    run_it
    assert_refused "mounts[7] '/proc"
  done <<'LIST'
tmpfs /proc/self/attr
tmpfs /proc/self
tmpfs /proc/1/ns
tmpfs /proc/sys/kernel
bind /proc/self/attr/exec
bind /proc/1/../meminfo/../self/attr/exec
LIST
  for destination in /link /sys/../proc/self/attr /sys/../proc/sys; do
    cp "$BUNDLE/base.json" "$BUNDLE/config.json"
    config '.mounts += [{destination: $to, type: "tmpfs", source: "t"}]' --arg to "$destination"
    run_it
    assert_refused "mounts[7] '$destination'"
  done
  cp "$BUNDLE/base.json" "$BUNDLE/config.json"
  config '.mounts += [{destination: "/proc/meminfo", type: "bind", source: "file", options: ["bind"]}]'
  run_it
  assert_success
}
