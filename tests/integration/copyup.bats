#!/usr/bin/env bats
# tmpcopyup: a tmpfs that begins as a copy of the directory below it.

load helpers
load inside

# All that find knows of a tree, a line a file. Sizes of directories are the file system's own.
listing() {
  (cd "$1" && find . -mindepth 1 \( -type d -printf '%P d %m %U:%G %T@\n' \) -o \
    -printf '%P %y %m %U:%G %s %n %T@ %l\n') | sort
}

# Of the device nodes of a tree.
numbers() {
  (cd "$1" && find . \( -type c -o -type b \) -exec stat -c '%n %t:%T' {} + | sort)
}

# One of everything that a directory may hold.
make_tree() {
  local tree=$1
  mkdir -p "$tree/deep/er" "$tree/sticky"
  echo text >"$tree/deep/er/file"
  chmod 4751 "$tree/deep/er/file"
  chown 7:8 "$tree/deep/er"
  chmod 1777 "$tree/sticky"
  ln "$tree/deep/er/file" "$tree/hard"
  ln "$tree/deep/er/file" "$tree/sticky/harder"
  ln -s /dev/full "$tree/to-a-device"
  ln -s ../../../../../etc "$tree/up"
  ln -s nowhere "$tree/dangling"
  chown -h 9:9 "$tree/dangling"
  ln -s "$WORK/outside" "$tree/outside"
  mknod "$tree/null" c 1 3
  mknod "$tree/block" b 7 77
  mkfifo -m 640 "$tree/fifo"
  : >"$tree/empty"
  truncate -s 100M "$tree/sparse" # more than the tmpfs holds
  printf end | dd of="$tree/sparse" bs=1 seek=$((100 << 20)) conv=notrunc status=none
  head -c 3000000 /dev/urandom >"$tree/big"
  for i in {1..300}; do : >"$tree/sticky/one-of-many-entries-$i"; done
  touch -d '2001-02-03 04:05:06.123456789' "$tree/big" "$tree/deep"
}

@test "tmpcopyup: owners, modes, times, links, nodes, holes; nothing through a link" {
  make_bundle sleep 1000
  mkdir "$WORK/outside"
  echo secret >"$WORK/outside/secret"
  make_tree "$BUNDLE/rootfs/data"
  chown 11:12 "$BUNDLE/rootfs/data"
  chmod 2750 "$BUNDLE/rootfs/data"
  listing "$BUNDLE/rootfs/data" >"$BUNDLE/before"
  config '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs",
    options: ["tmpcopyup", "ro", "nosuid", "size=20m"]}]'
  create
  local data
  data=/proc/$(pid_of "$ID")/root/data
  [ "$(stat -f -c %T "$data")" = tmpfs ]
  if is_tare; then # the other one's copy is less exact
    diff "$BUNDLE/before" <(listing "$data") >&2
    [ "$(stat -c '%a %u:%g' "$data")" = "2750 11:12" ] || fail_with "$(stat -c '%a %u:%g' "$data")"
    [ "$data/hard" -ef "$data/deep/er/file" ] && [ "$data/hard" -ef "$data/sticky/harder" ]
    [ "$(stat -c %b "$data/sparse")" -lt 100 ] || fail_with "a hole was filled"
  fi
  diff <(numbers "$BUNDLE/rootfs/data") <(numbers "$data") >&2
  cmp "$BUNDLE/rootfs/data/big" "$data/big"
  cmp "$BUNDLE/rootfs/data/sparse" "$data/sparse"
  run touch "$data/x"
  [[ $output == *"Read-only"* ]]
  diff "$BUNDLE/before" <(listing "$BUNDLE/rootfs/data") >&2 # the image is as before
}

@test "tmpcopyup: extended attributes and ACLs" {
  only_tare
  local tool
  for tool in setfattr setfacl setcap; do
    command -v $tool >/dev/null || skip "this machine has no $tool"
  done
  make_bundle sleep 1000
  mkdir "$BUNDLE/rootfs/data"
  : >"$BUNDLE/rootfs/data/file"
  setfattr -n trusted.tare -v hello "$BUNDLE/rootfs/data/file"
  setfacl -m u:77:r "$BUNDLE/rootfs/data/file"
  setcap cap_net_raw+p "$BUNDLE/rootfs/data/file"
  setfacl -d -m u:78:rw "$BUNDLE/rootfs/data"
  config '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]'
  create
  local data
  data=/proc/$(pid_of "$ID")/root/data
  [ "$(getfattr --only-values -n trusted.tare --absolute-names "$data/file")" = hello ]
  diff <(getfacl -cn "$BUNDLE/rootfs/data/file") <(getfacl -cn --absolute-names "$data/file") >&2
  [[ $(getcap "$data/file") == *cap_net_raw* ]]
}

@test "tmpcopyup: mode= and gid= of the config count, not the directory's" {
  only_tare
  make_bundle sh
  mkdir -p "$BUNDLE/rootfs/a" "$BUNDLE/rootfs/b/in"
  echo text >"$BUNDLE/rootfs/a/file"
  chown 5:6 "$BUNDLE/rootfs/a" "$BUNDLE/rootfs/b"
  chmod 711 "$BUNDLE/rootfs/a" "$BUNDLE/rootfs/b"
  config '.mounts += [
    {destination: "/a", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "mode=755", "gid=3"]},
    {destination: "/b", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]},
    {destination: "/b/in", type: "tmpfs", source: "tmpfs"},
    {destination: "/new/one", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}] | .root.readonly = false'
  inside 'stat -c "%a %u:%g" /a /b; cat /a/file; ls -A /new/one; echo x >/a/y && echo written'
  assert_output $'755 0:3\n711 5:6\ntext\nwritten'
  [ ! -e "$BUNDLE/rootfs/a/y" ]
}

@test "tmpcopyup: what is mounted below the directory stays out of the copy" {
  only_tare
  make_bundle sh
  mkdir -p "$BUNDLE/rootfs/a/in"
  echo text >"$BUNDLE/rootfs/a/file"
  config '.mounts += [
    {destination: "/a/in", type: "proc", source: "proc"},
    {destination: "/a", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]'
  inside 'ls -A /a'
  assert_output file
}

@test "tmpcopyup in a user namespace: owners that are not mapped give no rights" {
  only_tare
  make_bundle sh
  mkdir -p "$BUNDLE/rootfs/a"
  echo text >"$BUNDLE/rootfs/a/file"
  echo text >"$BUNDLE/rootfs/a/foreign"
  chown 100005:100006 "$BUNDLE/rootfs/a/file"
  chown 5:6 "$BUNDLE/rootfs/a/foreign"
  chmod 6755 "$BUNDLE/rootfs/a/file" "$BUNDLE/rootfs/a/foreign"
  chmod 755 "$BUNDLE"
  config '.linux.namespaces += [{type: "user"}]
    | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
    | .linux.gidMappings = .linux.uidMappings
    | .mounts |= map (select (.type != "sysfs"))
    | .mounts += [{destination: "/a", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]'
  chown -R 100000:100000 "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs"
  chown 100005:100006 "$BUNDLE/rootfs/a/file"
  chown 5:6 "$BUNDLE/rootfs/a/foreign"
  chmod 6755 "$BUNDLE/rootfs/a/file" "$BUNDLE/rootfs/a/foreign"
  chmod 711 "$WORK"
  inside 'stat -c "%n %a %u:%g" /a/file /a/foreign'
  assert_output $'/a/file 6755 5:6\n/a/foreign 755 0:0'
}

@test "tmpcopyup: what cannot be copied is named; nothing is left" {
  only_tare
  make_bundle true
  mkdir -p "$BUNDLE/rootfs/data/sub"
  head -c 300000 /dev/zero >"$BUNDLE/rootfs/data/sub/big"
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  config '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "size=100k"]}]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "mounts[7] '/data': tmpcopyup: copy 'sub/big': No space left on device"
  assert_nothing_left
  cp "$BUNDLE/base.json" "$BUNDLE/config.json"
  config '.mounts += [{destination: "/data", type: "bind", source: "/", options: ["rbind", "tmpcopyup"]}]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "mounts[7] /data: tmpcopyup is an option of tmpfs mounts alone"
  # deeper than init will follow
  cp "$BUNDLE/base.json" "$BUNDLE/config.json"
  local names
  names=$(printf 'd/%.0s' {1..300})
  mkdir -p "$BUNDLE/rootfs/deep/$names"
  config '.mounts += [{destination: "/deep", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "more than 128 directories in one another"
  assert_nothing_left
}
