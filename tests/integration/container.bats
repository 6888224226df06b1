#!/usr/bin/env bats
# The default container, that of `spec`, whole: what it is made of, as seen from inside.
# views: v1 v2

load helpers
load inside

# ---- namespaces ----------------------------------------------------------------------------------

@test "namespaces: those of the config are new, the others the caller's; all between create and start too" {
  make_bundle sleep 100
  create
  local pid type name state
  pid=$(pid_of "$ID")
  for state in created running; do
    has_status "$ID" $state
    for type in pid network ipc uts mount cgroup user time; do
      name=$type
      [ $type = network ] && name=net
      [ $type = mount ] && name=mnt
      if jq -e --arg t $type 'any(.linux.namespaces[]; .type == $t)' "$BUNDLE/config.json" >/dev/null; then
        [ "$(readlink "/proc/$pid/ns/$name")" != "$(readlink "/proc/self/ns/$name")" ] ||
          fail_with "$state: $type is the caller's"
      else
        [ "$(readlink "/proc/$pid/ns/$name")" = "$(readlink "/proc/self/ns/$name")" ] ||
          fail_with "$state: $type is not the caller's"
      fi
    done
    [ $state = running ] || rt start "$ID"
  done
}

@test "process 1, without a parent, leader of its session and its group" {
  make_bundle cat /proc/self/status /proc/self/stat
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [ "$(status_field Pid <<<"$output")" = 1 ]
  [ "$(status_field PPid <<<"$output")" = 0 ]
  [ "$(status_field NSpid <<<"$output")" = 1 ]
  local stat=${lines[-1]#*) }
  read -r _ _ group session terminal _ <<<"$stat"
  [ "$group $session $terminal" = "1 1 0" ] || fail_with "group, session, terminal"
}

@test "host name and domain name; the host's stay" {
  make_bundle sh
  local before
  before=$(cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname)
  config '.hostname = "scale" | .domainname = "example.test"'
  inside 'hostname; cat /proc/sys/kernel/domainname'
  [ "${lines[0]}" = scale ]
  if is_tare; then # domainname is newer than the peer
    [ "${lines[1]}" = example.test ]
  fi
  [ "$(cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname)" = "$before" ]
}

@test "a network of its own: lo is there, and up" {
  make_bundle sh
  inside 'ip -o link; ping -c 1 -W 1 127.0.0.1 >/dev/null 2>&1; cat /proc/net/dev | wc -l; ip -o addr show lo'
  [[ $output == *"lo: <LOOPBACK,UP,LOWER_UP>"* ]] || fail_with "lo is not up"
  [[ $output == *"127.0.0.1/8"* ]] || fail_with "lo has no address"
}

# ---- mounts --------------------------------------------------------------------------------------

@test "mounts: exactly those of the config, with their types and options" {
  make_bundle cat /proc/self/mountinfo
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  local mounts point type option
  mounts=$(mounts <<<"$output")

  [ "$(mount_column / 4)" = "$BUNDLE/rootfs" ] || [ "$(mount_column / 4)" = "${BUNDLE#/tmp}/rootfs" ] ||
    fail_with "the root is $(mount_column / 4)"
  while read -r point type; do
    [ "$(mount_column "$point" 2)" = "$type" ] || fail_with "$point: type $(mount_column "$point" 2)"
  done <<'ROWS'
/proc proc
/dev tmpfs
/dev/pts devpts
/dev/shm tmpfs
/dev/mqueue mqueue
/sys sysfs
ROWS
  while read -r point options; do
    for option in ${options//,/ }; do
      has_option "$(mount_column "$point" 5)" "$option" ||
        fail_with "$point: $(mount_column "$point" 5) lacks $option"
    done
  done <<'ROWS'
/ ro
/proc rw,relatime
/dev rw,nosuid
/dev/pts rw,nosuid,noexec
/dev/shm rw,nosuid,nodev,noexec
/dev/mqueue rw,nosuid,nodev,noexec
/sys ro,nosuid,nodev,noexec
ROWS
  has_option "$(mount_column /dev 6)" mode=755 || fail_with "/dev: mode"
  has_option "$(mount_column /dev 6)" size=65536k || fail_with "/dev: size"
  has_option "$(mount_column /dev/shm 6)" size=65536k || fail_with "/dev/shm: size"
  for option in gid=5 mode=620 ptmxmode=666; do
    has_option "$(mount_column /dev/pts 6)" $option || fail_with "/dev/pts: $option"
  done
  # strictatime: neither relatime nor noatime
  ! has_option "$(mount_column /dev 5)" relatime || fail_with "/dev: relatime"
}

@test "mounts: cgroup, of the version that is there, read-only, showing the own group" {
  make_bundle cat /proc/self/mountinfo
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  local mounts points point
  mounts=$(mounts <<<"$output")
  if [ "$(cgroup_version)" = 2 ]; then
    [ "$(mount_column /sys/fs/cgroup 2)" = cgroup2 ]
    points=/sys/fs/cgroup
  else
    [ "$(mount_column /sys/fs/cgroup 2)" = tmpfs ]
    ! is_tare || has_option "$(mount_column /sys/fs/cgroup 5)" ro || fail_with "its tmpfs is writable"
    points=$(awk '$2 == "cgroup" { print $1 }' <<<"$mounts")
    [ "$(wc -l <<<"$points")" -eq "$(mounts </proc/self/mountinfo | awk '$2 == "cgroup" && $1 ~ "^/sys/fs/cgroup/"' | wc -l)" ] ||
      fail_with "another number of hierarchies"
  fi
  for point in $points; do
    for option in ro nosuid nodev noexec; do
      has_option "$(mount_column "$point" 5)" $option || fail_with "$point lacks $option"
    done
    [ "$(cgroup_version)" = 2 ] || [[ $(mount_column "$point" 4) == */$ID ]] ||
      fail_with "$point shows $(mount_column "$point" 4)"
  done
}

@test "mounts: no other mount point, no old root below or above, nothing shared with the host" {
  make_bundle cat /proc/self/mountinfo
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  local mounts expected
  mounts=$(mounts <<<"$output")
  expected=$(
    echo /
    jq -r '.mounts[].destination' "$BUNDLE/config.json"
    existing '.linux.maskedPaths[], .linux.readonlyPaths[]'
    awk '$2 == "cgroup" { print $1 }' <<<"$mounts"
  )
  diff <(sort <<<"$expected") <(cut -d ' ' -f 1 <<<"$mounts" | sort) >&2
  local propagation
  propagation=$(cut -d ' ' -f 7 <<<"$mounts")
  [[ $propagation != *shared:* ]] || fail_with "a shared mount"
}

@test "mounts: the host's are as before" {
  make_bundle true
  # but for those of other tests, which run at the same time
  host_mounts() {
    grep -v "/tmp/t[a-z]*[0-9]" /proc/self/mountinfo
    grep "$TAG" /proc/self/mountinfo || true
  }
  local before
  before=$(host_mounts)
  inside true
  create
  rt start "$ID"
  rt delete --force "$ID"
  diff <(echo "$before") <(host_mounts) >&2
}

@test "the root is read-only, what is mounted on it is not" {
  make_bundle sh
  inside 'touch /x 2>&1; mkdir /bin/y 2>&1; touch /dev/shm/z && rm /dev/shm/z && echo shm; stat -c "%a %u:%g" /dev/shm /dev/mqueue /dev'
  [[ ${lines[0]} == *"Read-only file system"* ]]
  [[ ${lines[1]} == *"Read-only file system"* ]]
  [ "${lines[2]}" = shm ]
  [ "${lines[3]}" = "1777 0:0" ]
  [ "${lines[4]}" = "1777 0:0" ]
  [ "${lines[5]}" = "755 0:0" ]
  [ ! -e "$BUNDLE/rootfs/x" ]
}

@test "root.readonly false: the root can be written" {
  make_bundle sh
  config '.root.readonly = false'
  inside 'echo hi >/x; cat /x'
  assert_output hi
  [ "$(cat "$BUNDLE/rootfs/x")" = hi ]
}

# ---- /dev ----------------------------------------------------------------------------------------

@test "devices: the default ones, mode 0666 whatever the umask, and no others" {
  make_bundle sh
  local mask
  for mask in 000 022 077; do
    umask $mask
    inside 'cd /dev; for f in *; do [ -L $f ] || stat -c "%n %F %a %t:%T %u:%g" $f; done'
    umask 022
    diff - <(grep -v ' directory ' <<<"$output") <<'ROWS' >&2
full character special file 666 1:7 0:0
null character special file 666 1:3 0:0
random character special file 666 1:8 0:0
tty character special file 666 5:0 0:0
urandom character special file 666 1:9 0:0
zero character special file 666 1:5 0:0
ROWS
    [ "$(grep -c ' directory ' <<<"$output")" -eq 3 ] || fail_with "directories"
  done
}

@test "devices: they work; others are forbidden, unless allowed" {
  make_bundle sh
  config '.process.capabilities |= map_values (. + ["CAP_MKNOD"])'
  # to open kmsg for writing, and not to write, needs no other right
  local script='echo x >/dev/null; head -c 3 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c
    (echo x >/dev/full) 2>/dev/null || echo full
    (mknod /dev/log c 1 11 && : >/dev/log) 2>/dev/null && echo opened || echo forbidden'
  inside "$script"
  assert_output $'3\n3\nfull\nforbidden'
  config '.linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 11, access: "wm"}]'
  inside "$script"
  assert_output $'3\n3\nfull\nopened'
}

@test "links in /dev" {
  make_bundle sh
  inside 'cd /dev; for f in *; do [ ! -L $f ] || echo "$f -> $(readlink $f)"; done'
  diff - <(grep -v ^core <<<"$output") <<'ROWS' >&2
fd -> /proc/self/fd
ptmx -> pts/ptmx
stderr -> /proc/self/fd/2
stdin -> /proc/self/fd/0
stdout -> /proc/self/fd/1
ROWS
}

@test "linux.devices: one more, with its mode and owner" {
  make_bundle sh
  config '.linux.devices = [{path: "/dev/deep/er", type: "c", major: 1, minor: 3, fileMode: 384, uid: 7, gid: 8},
                            {path: "/dev/pipe", type: "p", fileMode: 420}]
          | .linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 3, access: "rwm"}]'
  inside 'stat -c "%n %F %a %t:%T %u:%g" /dev/deep/er; stat -c "%F %a" /dev/pipe'
  assert_output $'/dev/deep/er character special file 600 1:3 7:8\nfifo 644'
}

# ---- paths ---------------------------------------------------------------------------------------

@test "masked paths: a file is /dev/null, a directory is empty and read-only" {
  make_bundle sh
  local path script=
  for path in $(existing '.linux.maskedPaths[]'); do
    if [ -d "$path" ]; then
      script+="echo \"$path: \$(ls -A $path | wc -l) \$(touch $path/x 2>&1 | grep -c 'Read-only')\";"
    else
      script+="echo \"$path: \$(stat -c %F:%t:%T $path) \$(cat $path | wc -c)\";"
    fi
  done
  [ -n "$script" ]
  inside "$script"
  for path in $(existing '.linux.maskedPaths[]'); do
    if [ -d "$path" ]; then
      [[ $'\n'$output$'\n' == *$'\n'"$path: 0 1"$'\n'* ]] || fail_with "$path"
    else
      [[ $'\n'$output$'\n' == *$'\n'"$path: character special file:1:3 0"$'\n'* ]] || fail_with "$path"
    fi
  done
}

@test "masked directories share one read-only tmpfs" {
  only_tare
  make_bundle stat -c %d:%i /one /two /three/below
  mkdir -p "$BUNDLE"/rootfs/{one,two,three/below}
  config '.linux.maskedPaths = ["/one", "/two", "/three/below"]'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [ "$(sort -u <<<"$output" | wc -l)" -eq 1 ] || fail_with "not the same"
}

@test "read-only paths: mounts of their own, no write reaches them" {
  make_bundle sh
  config '.process.capabilities |= map_values (. + ["CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN"])'
  local before path mounts
  before=$(cat /proc/sys/kernel/shmmax)
  inside 'cat /proc/self/mountinfo; (echo 1 >/proc/sys/kernel/shmmax) 2>&1; (echo h >/proc/sysrq-trigger) 2>&1; true'
  mounts=$(sed -n '/ - /p' <<<"$output" | mounts)
  for path in $(existing '.linux.readonlyPaths[]'); do
    has_option "$(mount_column "$path" 5)" ro || fail_with "$path: $(mount_column "$path" 5)"
  done
  [[ $output == *"shmmax: Read-only file system"* ]] || fail_with "shmmax"
  [ ! -e /proc/sysrq-trigger ] || [[ $output == *"sysrq-trigger: Read-only file system"* ]] || fail_with "sysrq"
  [ "$(cat /proc/sys/kernel/shmmax)" = "$before" ]
}

@test "masked and read-only paths of the image: missing ones, the same twice, a link" {
  make_bundle sh
  mkdir -p "$BUNDLE/rootfs/secret/deep" "$BUNDLE/rootfs/fixed"
  echo hidden >"$BUNDLE/rootfs/secret/deep/file"
  echo hidden >"$BUNDLE/rootfs/one"
  echo seen >"$BUNDLE/rootfs/fixed/file"
  config '.root.readonly = false | .linux.maskedPaths += ["/secret", "/secret", "/one", "/not/there"]
          | .linux.readonlyPaths += ["/fixed", "/fixed", "/nor/there"]'
  inside 'ls -A /secret | wc -l; cat /one | wc -c; cat /fixed/file; (echo x >/fixed/file) 2>&1; echo y >/free; ls /not 2>/dev/null; true'
  [ "${lines[0]} ${lines[1]} ${lines[2]}" = "0 0 seen" ] || fail_with "masks"
  [[ ${lines[3]} == *"Read-only file system"* ]]
  [ "${#lines[@]}" -eq 4 ]
  [ "$(cat "$BUNDLE/rootfs/one")" = hidden ]
}

# ---- the process ---------------------------------------------------------------------------------

@test "user: root, no groups" {
  make_bundle cat /proc/self/status
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$(status_field Uid <<<"$output")" = "0 0 0 0" ]
  [ "$(status_field Gid <<<"$output")" = "0 0 0 0" ]
  [ -z "$(status_field Groups <<<"$output")" ] || [ "$(status_field Groups <<<"$output")" = 0 ]
}

@test "user: ids, groups and umask" {
  make_bundle cat /proc/self/status
  config '.process.user = {uid: 1000, gid: 1001, additionalGids: [20, 10, 70000], umask: 23}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [ "$(status_field Uid <<<"$output")" = "1000 1000 1000 1000" ]
  [ "$(status_field Gid <<<"$output")" = "1001 1001 1001 1001" ]
  [ "$(status_field Groups <<<"$output")" = "10 20 70000" ]
  [ "$(status_field Umask <<<"$output")" = 0027 ]
}

@test "user: the largest ids, and one too many" {
  make_bundle cat /proc/self/status
  config '.process.user = {uid: 4294967294, gid: 4294967294}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  if is_tare; then
    [ "$(status_field Uid <<<"$output")" = "4294967294 4294967294 4294967294 4294967294" ]
  fi
  only_tare
  local edit
  for edit in '.uid = 4294967295' '.gid = 4294967295' '.additionalGids = [4294967295]' '.uid = 4294967296' \
    '.uid = -1' '.gid = 1.5' '.uid = "0"'; do
    config ".process.user = {uid: 0, gid: 0} | .process.user |= ($edit)"
    run_rt run --bundle "$BUNDLE" "$ID" </dev/null
    assert_error 1 "process.user"
  done
  assert_nothing_left
}

@test "capabilities: bounding, effective and permitted of the config, nothing else" {
  make_bundle cat /proc/self/status
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  local wanted set
  wanted=$(capability_mask AUDIT_WRITE KILL NET_BIND_SERVICE)
  for set in CapBnd CapEff CapPrm; do
    [ "$(status_field $set <<<"$output")" = "$wanted" ] || fail_with $set
  done
  is_tare || return 0 # the peer's default config has more
  [ "$(status_field CapInh <<<"$output")" = 0000000000000000 ]
  [ "$(status_field CapAmb <<<"$output")" = 0000000000000000 ]
}

@test "capabilities: none at all, and those of an ordinary user" {
  make_bundle cat /proc/self/status
  config '.process.capabilities = {}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  local set
  for set in CapBnd CapEff CapPrm CapInh CapAmb; do
    [ "$(status_field $set <<<"$output")" = 0000000000000000 ] || fail_with $set
  done
  local some='["CAP_CHOWN", "CAP_NET_RAW"]'
  config ".process.user.uid = 1000 | .process.capabilities = {bounding: $some, permitted: $some, effective: $some}"
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$(status_field CapBnd <<<"$output")" = "$(capability_mask CHOWN NET_RAW)" ]
  for set in CapEff CapPrm CapInh CapAmb; do # the program's file has none: they end at exec
    [ "$(status_field $set <<<"$output")" = 0000000000000000 ] || fail_with $set
  done
  config ".process.capabilities += {inheritable: $some, ambient: [\"CAP_CHOWN\"]}"
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  for set in CapEff CapPrm CapAmb; do
    [ "$(status_field $set <<<"$output")" = "$(capability_mask CHOWN)" ] || fail_with $set
  done
  [ "$(status_field CapInh <<<"$output")" = "$(capability_mask CHOWN NET_RAW)" ]
}

@test "no_new_privs: on and off; a set-id program" {
  make_bundle cat /proc/self/status
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$(status_field NoNewPrivs <<<"$output")" = 1 ]
  config '.process.noNewPrivileges = false'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$(status_field NoNewPrivs <<<"$output")" = 0 ]
  cp "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/rootfs/bin/id-of-root"
  rm "$BUNDLE/rootfs/bin/id"
  mv "$BUNDLE/rootfs/bin/id-of-root" "$BUNDLE/rootfs/bin/id"
  chmod 4755 "$BUNDLE/rootfs/bin/id"
  config '.process.args = ["id", "-u"] | .process.user = {uid: 1000, gid: 1000} | .process.noNewPrivileges = true'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output 1000
}

@test "rlimits: the default one, and others" {
  make_bundle cat /proc/self/limits
  config '.process.rlimits += [{type: "RLIMIT_CORE", soft: 10, hard: 20}, {type: "RLIMIT_NPROC", soft: 100, hard: 200},
          {type: "RLIMIT_FSIZE", soft: 4096, hard: 77777}]'
  sed -i 's/: 77777\b/: 18446744073709551615/' "$BUNDLE/config.json" # jq knows no number that large
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  limit() {
    awk -v name="$1" 'index ($0, name) == 1 { $0 = substr ($0, 27); print $1, $2 }' <<<"$output"
  }
  [ "$(limit "Max open files")" = "1024 1024" ]
  [ "$(limit "Max core file size")" = "10 20" ]
  [ "$(limit "Max processes")" = "100 200" ]
  [ "$(limit "Max file size")" = "4096 unlimited" ]
}

@test "oomScoreAdj: as asked, and the caller's where it is not" {
  make_bundle cat /proc/self/oom_score_adj
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output "$(cat /proc/self/oom_score_adj)"
  config '.process.oomScoreAdj = 500'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output 500
}

@test "cwd: one that is there, one that is made" {
  make_bundle pwd
  mkdir -p "$BUNDLE/rootfs/home/me"
  config '.process.cwd = "/home/me"'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output /home/me
  config '.process.cwd = "/made/by/us" | .root.readonly = false'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  assert_output /made/by/us
  [ "$(stat -c '%a %u' "$BUNDLE/rootfs/made/by/us")" = "755 0" ]
}

@test "cwd: one that only the user may enter" {
  make_bundle pwd
  mkdir -p "$BUNDLE/rootfs/home/me"
  chown 1000 "$BUNDLE/rootfs/home/me"
  chmod 700 "$BUNDLE/rootfs/home/me"
  config '.process.cwd = "/home/me" | .process.user.uid = 1000'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output /home/me
}

@test "environment: that of the config and HOME, nothing of the caller's" {
  make_bundle env
  config '.process.env = ["PATH=/bin", "A=1", "A_B=x=y", "EMPTY="]'
  run env SECRET=1 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
  assert_output $'PATH=/bin\nA=1\nA_B=x=y\nEMPTY=\nHOME=/'
}

@test "HOME: by the number of the user in the image's passwd, unless it is given" {
  make_bundle sh
  mkdir -p "$BUNDLE/rootfs/etc"
  printf 'root:x:0:0:root:/root:/bin/sh\n1000:x:0:0::/trap:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n' \
    >"$BUNDLE/rootfs/etc/passwd"
  inside 'echo "$HOME"'
  assert_output /root
  config '.process.user.uid = 1000'
  inside 'echo "$HOME $(id -u)"'
  assert_output "/home/me 1000"
  config '.process.user.uid = 1001'
  inside 'echo "$HOME"'
  assert_output /
  config '.process.env += ["HOME=/given"]'
  inside 'echo "$HOME"'
  assert_output /given
}

@test "descriptors: 0, 1 and 2, whatever the caller has open" {
  make_bundle sh -c 'ls /proc/1/fd; true'
  run bash -c 'exec 7</etc/passwd 8</ 9<>/dev/null 63</ ; exec "$@"' - \
    "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
  assert_success
  [ "$(tr '\n' ' ' <<<"$output")" = "0 1 2 " ] || fail_with "descriptors"
}

@test "descriptors of a created container: its streams, and what waits for start" {
  only_tare
  make_bundle true
  exec 7</etc/passwd 8</
  create 9<>/dev/null
  exec 7<&- 8<&-
  local pid fd target
  pid=$(pid_of "$ID")
  for fd in /proc/"$pid"/fd/*; do
    target=$(readlink "$fd")
    case ${fd##*/} in
      0 | 1 | 2) ;;
      *) [[ $target == socket:* || $target == /memfd:* || $target == / ]] || fail_with "$fd -> $target" ;;
    esac
    [ "$target" != / ] || [ "$(stat -L -c %i "$fd")" = "$(stat -c %i "$BUNDLE/rootfs")" ] || fail_with "$fd: the host's root"
  done
}

@test "signals: none blocked, none ignored, whatever the caller did" {
  only_tare
  make_bundle cat /proc/self/status
  local option
  for option in --block-signals --ignore-signals; do
    run "$(tool launch)" $option "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
    [ "$(status_field SigIgn <<<"$output")" = 0000000000000000 ] || fail_with "ignored with $option"
    [ "$(status_field SigBlk <<<"$output")" = 0000000000000000 ] || fail_with "blocked with $option"
  done
}

@test "before start: init is a sealed memfd, nobody can write to it" {
  only_tare
  make_bundle sleep 100
  create
  run "$(tool seals)" "$(pid_of "$ID")"
  assert_success
  [ "${lines[0]}" = "link /memfd:tare-init (deleted)" ]
  [ "${lines[1]}" = "seals seal shrink grow write" ]
  [[ ${lines[2]} == "write EPERM" || ${lines[2]} == "write ETXTBSY" ]] || fail_with "written"
  [[ ${lines[3]} == "truncate EPERM" || ${lines[3]} == "truncate ETXTBSY" ]] || fail_with "truncated"
  rt start "$ID"
  [ "$(readlink "/proc/$(pid_of "$ID")/exe")" = /bin/busybox ]
}

@test "the runtime's own file is never to be found inside" {
  make_bundle sh
  local before
  before=$(sha256sum "$RUNTIME")
  config '.process.args = ["/proc/self/exe"] | .process.env += ["A=1"]'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$status" -ne 0 ]
  config '.process.args = ["sh", "-c", "for f in /proc/1/exe /proc/self/fd/* /proc/1/fd/*; do echo x >>$f; done 2>/dev/null"]'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$(sha256sum "$RUNTIME")" = "$before" ]
}

# ---- control groups ------------------------------------------------------------------------------

@test "control groups: entered in every hierarchy, made for the container, removed with it" {
  make_bundle sleep 100
  create
  local pid group hierarchies=0
  pid=$(pid_of "$ID")
  while IFS=: read -r _ _ group; do
    # v2 of a hybrid machine is not the peer's
    if [[ $group == */$ID || $group == */$ID.scope ]]; then
      hierarchies=$((hierarchies + 1))
    fi
  done <"/proc/$pid/cgroup"
  [ "$hierarchies" -ge 1 ]
  if is_tare && [ "$(cgroup_version)" = 1 ]; then
    [ "$hierarchies" -eq "$(mounts </proc/self/mountinfo | awk '$1 ~ "^/sys/fs/cgroup/" && $2 ~ "^cgroup"' | wc -l)" ]
  fi
  [ -n "$(cgroups_of "$ID")" ]
  rt start "$ID"
  rt delete --force "$ID"
  [ -z "$(cgroups_of "$ID")" ]
}
