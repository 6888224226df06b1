#!/usr/bin/env bats
# The options of mounts (config.md, "Linux mount options"): what each does, in which order they
# count, what is refused. Seen from inside, in /proc/self/mountinfo.

load helpers
load inside

# mount_with NAME TYPE OPTION...: one more mount, on /m/NAME; a bind has the bundle's volume.
mount_with() {
  local name=$1 type=$2
  shift 2
  mkdir -p "$BUNDLE/volume"
  config '.mounts += [{destination: "/m/\($name)", type: $type, source: (if $type == "bind" then "volume" else "none" end),
    options: ((if $type == "bind" then ["bind"] else [] end) + ($options | split (" ")))}]' \
    --arg name "$name" --arg type "$type" --arg options "$*"
}

# Many at once: lines "NAME TYPE OPTION..." on the input, one jq for all.
mount_table() {
  mkdir -p "$BUNDLE/volume"
  config '.mounts += ($table | split ("\n") | map (select (. != "") | split (" ") | map (select (. != ""))
    | {destination: "/m/\(.[0])", type: .[1], source: (if .[1] == "bind" then "volume" else "none" end),
       options: ((if .[1] == "bind" then ["rbind"] else [] end) + .[2:])}))' --arg table "$(cat)"
}

# options_are NAME OPTION...: exactly these, in mountinfo's column of the mount.
options_are() {
  local name=$1 found
  shift
  found=$(mount_column "/m/$name" 5 | tr , '\n' | sort | xargs)
  [ "$found" = "$(printf '%s\n' "$@" | sort | xargs)" ] || { echo "$name: '$found', wanted '$*'"; return 1; }
}

look() {
  inside 'cat /proc/self/mountinfo'
  mounts=$(mounts <<<"$output")
}

@test "each flag, and its opposite; of those that undo each other the last counts" {
  make_bundle sh
  mount_table <<'TABLE'
none tmpfs
ro tmpfs ro
nosuid tmpfs nosuid
nodev tmpfs nodev
noexec tmpfs noexec
noatime tmpfs noatime
nodiratime tmpfs nodiratime
relatime tmpfs relatime
strictatime tmpfs strictatime
all tmpfs ro,nosuid ro nosuid nodev noexec nodiratime noatime
rw tmpfs ro rw
rorw tmpfs rw ro
off tmpfs nosuid nodev noexec nodiratime noatime suid dev exec diratime atime
atime tmpfs noatime strictatime
strict tmpfs strictatime noatime relatime
nostrict tmpfs strictatime nostrictatime
nothing tmpfs defaults loud silent norelatime mand nomand noiversion iversion nolazytime async rw suid dev exec
TABLE
  # a comma does not part options: it is data, which tmpfs refuses
  run_rt run --bundle "$BUNDLE" "$ID"
  [ "$status" -ne 0 ]
  [[ $stderr == *"ro,nosuid"* ]]
  config '(.mounts[] | select (.destination == "/m/all") | .options) -= ["ro,nosuid"]'
  look
  options_are none rw relatime
  options_are ro ro relatime
  options_are nosuid rw relatime nosuid
  options_are nodev rw relatime nodev
  options_are noexec rw relatime noexec
  options_are noatime rw noatime
  options_are nodiratime rw nodiratime relatime
  options_are relatime rw relatime
  options_are strictatime rw
  options_are all ro nosuid nodev noexec nodiratime noatime
  options_are rw rw relatime
  options_are rorw ro relatime
  options_are off rw relatime
  options_are atime rw
  options_are strict rw relatime
  options_are nostrict rw relatime
  options_are nothing rw relatime
}

@test "nosymfollow, and flags of the file system: sync, dirsync, lazytime" {
  make_bundle sh
  mount_table <<'TABLE'
nosym tmpfs nosymfollow
sym tmpfs nosymfollow symfollow
sync tmpfs sync
async tmpfs sync async
dirsync tmpfs dirsync
lazy tmpfs lazytime
sized tmpfs size=64k mode=711 nr_inodes=20
TABLE
  inside 'ln -s /bin/busybox /m/nosym/l; ln -s /bin/busybox /m/sym/l
    cat /m/nosym/l >/dev/null 2>&1 && echo followed; cat /m/sym/l >/dev/null && echo sym
    stat -c %a /m/sized; cat /proc/self/mountinfo'
  [ "${lines[0]}" = sym ]
  [ "${lines[1]}" = 711 ]
  mounts=$(printf '%s\n' "${lines[@]:2}" | mounts)
  options_are nosym rw relatime nosymfollow
  options_are sym rw relatime
  has_option "$(mount_column /m/sync 6)" sync
  run ! has_option "$(mount_column /m/async 6)" sync
  has_option "$(mount_column /m/dirsync 6)" dirsync
  has_option "$(mount_column /m/lazy 6)" lazytime
  has_option "$(mount_column /m/sized 6)" size=64k
  has_option "$(mount_column /m/sized 6)" nr_inodes=20
}

# A tree of two mounts on the host's side, in a namespace of our own.
on_tree() {
  unshare --mount --propagation private bash -c "mkdir -p '$BUNDLE/volume/below' &&
    mount -t tmpfs -o nosuid,noatime top '$BUNDLE/volume' && mkdir '$BUNDLE/volume/below' &&
    mount -t tmpfs -o noexec below '$BUNDLE/volume/below' && $1" 3>&-
}

@test "a bind keeps the source's flags unless told otherwise; r... flags reach the whole tree" {
  make_bundle cat /proc/self/mountinfo
  mount_table <<'TABLE'
keep bind
ro bind ro
rro bind rro
rrw bind rro rrw
toprw bind rro rw
botrw bind rw rro
clear bind suid atime
rclear bind rsuid rexec ratime
rall bind rnosuid rnodev rnoexec rnoatime rnodiratime rnosymfollow
ratime bind rstrictatime
rrel bind rnoatime rrelatime
rback bind rnodev rdev rnodiratime rdiratime rnosymfollow rsymfollow rnostrictatime rnorelatime
TABLE
  run on_tree "'$RUNTIME' --root '$ROOT' run --bundle '$BUNDLE' '$ID'"
  [ "$status" -eq 0 ] || { echo "$output"; return 1; }
  mounts=$(mounts <<<"$output")
  options_are keep rw nosuid noatime
  options_are keep/below rw noexec relatime
  options_are ro ro nosuid noatime
  options_are ro/below rw noexec relatime
  options_are rro ro nosuid noatime
  options_are rro/below ro noexec relatime
  options_are rrw rw nosuid noatime
  options_are rrw/below rw noexec relatime
  options_are toprw rw nosuid noatime
  options_are toprw/below ro noexec relatime
  options_are botrw ro nosuid noatime
  options_are botrw/below ro noexec relatime
  options_are clear rw relatime
  options_are clear/below rw noexec relatime
  options_are rclear rw relatime
  options_are rclear/below rw relatime
  options_are rall rw nosuid nodev noexec noatime nodiratime nosymfollow
  options_are rall/below rw nosuid nodev noexec noatime nodiratime nosymfollow
  options_are ratime rw nosuid
  options_are ratime/below rw noexec
  options_are rrel rw nosuid relatime
  options_are rrel/below rw noexec relatime
  options_are rback rw nosuid relatime
}

@test "a tmpfs has the mode of the directory that it covers, unless mode= says another" {
  make_bundle stat -c %a /was/1700 /was/555 /was/told /was/new
  mkdir -p "$BUNDLE"/rootfs/was/{1700,555,told}
  chmod 1700 "$BUNDLE/rootfs/was/1700"
  chmod 555 "$BUNDLE/rootfs/was/555"
  config '.mounts += [("1700", "555", "told", "new") | {destination: "/was/\(.)", type: "tmpfs", source: "t",
    options: (if . == "told" then ["mode=701"] else [] end)}]'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  # a directory that is made has none to keep: the kernel's own
  assert_output $'1700\n555\n701\n1777'
}

@test "propagation of a mount" {
  make_bundle sh
  mount_table <<'TABLE'
private tmpfs private
shared tmpfs shared
both tmpfs slave shared
last tmpfs shared private
unbindable tmpfs unbindable
rshared tmpfs rshared
runbindable tmpfs runbindable
rprivate tmpfs rshared rprivate
TABLE
  look
  local name
  for name in private last rprivate; do
    [ "$(mount_column "/m/$name" 7)" = private ] || { echo "$name"; return 1; }
  done
  for name in shared rshared both; do
    [[ $(mount_column "/m/$name" 7) == shared:* ]] || { echo "$name"; return 1; }
  done
  for name in unbindable runbindable; do
    [ "$(mount_column "/m/$name" 7)" = unbindable ] || { echo "$name"; return 1; }
  done
}

@test "options that are null mean what the destination is for" {
  make_bundle sh
  config '.mounts |= map (select (.destination != "/sys/fs/cgroup") | del (.options))'
  look
  local name
  for name in /dev/shm /dev/mqueue /sys; do
    has_option "$(mount_column $name 5)" nosuid
    has_option "$(mount_column $name 5)" noexec
    has_option "$(mount_column $name 5)" nodev
  done
  has_option "$(mount_column /sys 5)" ro
  has_option "$(mount_column /dev 5)" nosuid
  has_option "$(mount_column /dev 6)" mode=755
  has_option "$(mount_column /dev/shm 6)" size=65536k
  has_option "$(mount_column /dev/pts 6)" gid=5
  has_option "$(mount_column /dev/pts 6)" ptmxmode=666
}

@test "remount: the flags and options of a mount that is there" {
  only_tare
  make_bundle sh
  config '.mounts += [
    {destination: "/m/t", type: "tmpfs", source: "t", options: ["nosuid", "size=64k"]},
    {destination: "/m/t/below", type: "tmpfs", source: "b"},
    {destination: "/m/t", type: "tmpfs", options: ["remount", "ro", "noexec", "size=128k"]},
    {destination: "/m/t/made", type: "tmpfs", source: "m"},
    {destination: "/", options: ["remount", "bind", "nodev"]}]'
  look
  options_are t ro nosuid noexec relatime
  has_option "$(mount_column /m/t 6)" size=128k
  options_are t/below rw relatime
  options_are t/made rw relatime
  has_option "$(mount_column / 5)" nodev

  config '.mounts = .mounts[:-5] + [{destination: "/etc", options: ["remount", "ro"]}]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "/etc': remount: nothing is mounted there"
  mkdir "$BUNDLE/rootfs/etc"
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "/etc': remount: nothing is mounted there"

  # the file system of a bind mount is the host's
  mkdir -p "$BUNDLE/volume"
  config '.mounts[-1:] = [{destination: "/m", type: "bind", source: "volume", options: ["bind"]},
                          {destination: "/m", options: ["remount", "size=1m"]}]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "/m: remount: 'size=1m' is an option of a file system"
  assert_nothing_left
}

@test "an option that no table knows goes to the file system, and its refusal is told in its words" {
  make_bundle true
  mount_with x tmpfs nosuch=1
  run_rt run --bundle "$BUNDLE" "$ID"
  [ "$status" -ne 0 ]
  is_tare || return 0
  assert_error 1 "/m/x': tmpfs: Unknown parameter 'nosuch'"
  config '.mounts[-1].options = ["mode=9"]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "/m/x': tmpfs: Bad value for 'mode'"
  config '.mounts[-1].options = ["x=\("y" * 300)"]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "mounts[7] /m/x: option 'x=yyy"
  config '.mounts[-1] |= (.type = "nosuchfs" | .options = [])'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "mounts[7] '/m/x': file system type 'nosuchfs': No such device"
  config 'del (.mounts[-1].type)'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "mounts[7] /m/x: type: required, but missing"
  assert_nothing_left
}

@test "bind mounts have no options of a file system: data is an error, its flags a warning" {
  only_tare
  make_bundle echo ran
  mount_with x bind sync dirsync ro
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  assert_output ran
  [[ $stderr == *"/m/x: 'sync' belongs to the file system, not to a bind mount: ignoring it"* ]]
  [[ $stderr == *"'dirsync'"* ]]
  config '.mounts[-1].options = ["bind", "size=1m"]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "/m/x: 'size=1m' is not an option of bind mounts"
  config '(.mounts[] | select (.type == "cgroup") | .options) += ["nsdelegate"] | del (.mounts[-1])'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "/sys/fs/cgroup: 'nsdelegate' is not an option of cgroup mounts"
  config '.mounts += [{destination: "/x", type: "tmpfs", options: ["copy-symlink"]}] |
    (.mounts[] | select (.type == "cgroup") | .options) -= ["nsdelegate"]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "/x: copy-symlink, src-nofollow, dest-nofollow: only of bind mounts"
}

@test "features names every option, and none that is refused" {
  only_tare
  local option page
  run_rt features
  for option in async atime bind copy-symlink defaults dest-nofollow dev diratime dirsync exec idmap iversion \
    lazytime loud noatime nodev nodiratime noexec noiversion nolazytime norelatime nostrictatime nosuid \
    nosymfollow private ratime rbind rdev rdiratime relatime remount rexec ridmap rnoatime rnodev rnodiratime \
    rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime rro rrw rshared rslave \
    rstrictatime rsuid rsymfollow runbindable rw shared silent slave src-nofollow strictatime suid symfollow \
    sync tmpcopyup unbindable; do
    jq -e '.mountOptions | index ($o)' --arg o "$option" <<<"$output" >/dev/null || { echo "$option"; return 1; }
  done
  jq -e '.linux.mountExtensions.idmap.enabled' <<<"$output"
  # and the manual page, whose roff is content
  page=${top_builddir:-$TOP/build}/man/pages/tare.1
  grep -qxF "$(jq -r '.mountOptions | join (", ")' <<<"$output")" "$page" || fail_with "the manual page has others"
  [ -z "$(groff -man -Tascii -ww "$page" 2>&1 >/dev/null)" ]
}
