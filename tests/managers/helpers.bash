# What the files of tests/managers share: a box with a daemon in it, images, the leak audit.
#
# Each file tests one container manager with a runtime below it: RUNTIME, which is tare of the build
# tree. A file NAME-control.bats is a link to NAME.bats: the same scenarios with runc, which show
# that a scenario asks what managers are used to. CONTROL=1 makes a control of any file.
#
#   TAG    in the name of every control group and path of the file, so that the audit finds them
#   WORK   a directory of the file's own, not below /run
#
# Environment: MANAGERS=all     the slow scenarios too
#              MANAGERS_TRACE=1 keep every call of the runtime, with its log, in $WORK/trace, and WORK
#              TARE_TEST_CACHE  where images that take long to make are kept (/var/cache/tare-test)
#
# shellcheck shell=bash disable=SC2154

bats_require_minimum_version 1.5.0

TOP=${top_srcdir:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
RUNTIME=${RUNTIME:-${top_builddir:-$TOP/build}/tare}
case ${CONTROL:-}$BATS_TEST_FILENAME in
  1* | *-control.bats) RUNTIME=${CONTROL_RUNTIME:-$(command -v runc || echo /usr/sbin/runc)} ;;
esac
CACHE=${TARE_TEST_CACHE:-/var/cache/tare-test}
export LC_ALL=C TERM=xterm
# shellcheck source=tests/lib/docs.bash
. "$TOP/tests/lib/docs.bash"

is_tare() {
  [ "$(basename "$RUNTIME")" = tare ]
}

slow() {
  [ "${MANAGERS:-}" = all ] || skip "slow: MANAGERS=all"
}

# has_command NAME: of the runtime; where it is not made yet, the test waits for it.
has_command() {
  "$RUNTIME" "$1" --help >/dev/null 2>&1 || skip "$(basename "$RUNTIME") has no $1"
}

# has_controller NAME: of the control groups here, of either version.
has_controller() {
  grep -qsw "$1" /sys/fs/cgroup/cgroup.controllers /sys/fs/cgroup/unified/cgroup.controllers ||
    awk -v name="$1" '$3 == "cgroup" && ("," $4 ",") ~ ("," name ",") { found = 1 }
      END { exit !found }' /proc/mounts || skip "no controller $1 here"
}

# ---- the box -------------------------------------------------------------------------------------

# Call in setup_file, with the programs that the file cannot do without.
file_begin() {
  local program
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  for program in "$RUNTIME" unshare nsenter ip jq busybox "$@"; do
    command -v "$program" >/dev/null || { echo "$program: not found" >&2; return 1; }
  done
  TAG=tm$$x$RANDOM
  WORK=$(mktemp -d "/tmp/$TAG.XXXXXX")
  export TAG WORK RUNTIME
  mkdir -p "$WORK/bin"
  make_wrappers
}

# Starts the box, with a daemon.
box_start() {
  unshare --mount --pid --net --fork --kill-child --propagation private \
    "$BATS_TEST_DIRNAME/box" "$WORK" "$@" >"$WORK/box.log" 2>&1 </dev/null 3>&- &
  echo $! >"$WORK/unshare"
  wait_until 10 test -s "$WORK/pid" || { cat "$WORK/box.log" >&2; return 1; }
}

box() {
  nsenter --target "$(cat "$WORK/pid")" --mount --pid --net -- "$@" 3>&-
}

# Call in teardown_file: the daemon ends by itself, then the box with all that is left in it.
file_end() {
  local result=0
  [ -n "${WORK:-}" ] || return 0
  if [ -s "$WORK/daemon" ]; then
    box kill -TERM "$(cat "$WORK/daemon")" || true
    wait_until 20 test -s "$WORK/status" || { echo "# the daemon does not end" >&3; result=1; }
  fi
  if [ -s "$WORK/unshare" ]; then
    kill -KILL "$(cat "$WORK/unshare")" || true
    wait_until 10 box_is_gone || result=1
  fi
  remove_groups || result=1
  [ -n "${MANAGERS_TRACE:-}" ] || rm -rf --one-file-system "$WORK"
  return $result
}

box_is_gone() {
  [ ! -s "$WORK/pid" ] || [ ! -e "/proc/$(cat "$WORK/pid")/ns/pid" ]
}

# wait_until N COMMAND...: tries every 50 ms, for N seconds.
wait_until() {
  local tries=$(($1 * 20))
  shift
  while ! "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "never true: $*" >&2; return 1; }
    sleep 0.05
  done
}

# ---- runtimes ------------------------------------------------------------------------------------

# runtime: what the managers call. The others change one thing on the way, to have what no option of
# a manager makes: a hook that fails, a console that nobody listens on, a limit that no kernel takes.
make_wrappers() {
  {
    echo '#!/bin/bash'
    if [ -n "${MANAGERS_TRACE:-}" ]; then
      cat <<END
arguments=("\$@") log=
while [ \$# -gt 0 ]; do [ "\$1" != --log ] || log=\$2; shift; done
"$RUNTIME" "\${arguments[@]}"
status=\$?
{ echo "\$status \${arguments[*]}"; [ ! -s "\$log" ] || tail -n 3 "\$log"; } >>"$WORK/trace"
exit \$status
END
    else
      echo "exec '$RUNTIME' \"\$@\""
    fi
  } >"$WORK/bin/runtime"
  make_wrapper runtime-hook '.hooks.createRuntime = [{path: "/bin/sh",
    args: ["sh", "-c", "echo the hook has had enough >&2; exit 9"]}]'
  make_wrapper runtime-hang '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "100"],
    timeout: 1}]'
  make_wrapper runtime-limit '.linux.resources.memory = {limit: 1024}'
  make_wrapper runtime-cwd '.process.cwd = "/etc/text"'
  make_wrapper runtime-mount '.mounts += [{destination: "/x", type: "bind", options: ["bind"],
    source: "/no/such/source"}]'
  # shellcheck disable=SC2016
  make_wrapper runtime-filter '.linux.seccomp = {defaultAction: "SCMP_ACT_DANCE"}'
  perl -MSocket -e 'socket S, PF_UNIX, SOCK_STREAM, 0 and bind S, sockaddr_un $ARGV[0] or die $!' \
    "$WORK/nobody"
  cat >"$WORK/bin/runtime-console" <<END
#!/bin/bash
arguments=() last=
for argument; do
  [ "\$last" != --console-socket ] || argument=$WORK/nobody
  last=\$argument
  arguments+=("\$argument")
done
exec "$WORK/bin/runtime" "\${arguments[@]}"
END
  chmod +x "$WORK"/bin/*
}

# make_wrapper NAME FILTER: the runtime, with a filter of jq over config.json before create.
make_wrapper() {
  cat >"$WORK/bin/$1" <<END
#!/bin/bash
bundle= create=
arguments=("\$@")
while [ \$# -gt 0 ]; do
  case \$1 in
    --bundle) bundle=\$2 ;;
    create) create=1 ;;
  esac
  shift
done
if [ -n "\$create" ]; then
  jq '$2' "\$bundle/config.json" >"\$bundle/config.new" &&
    cat "\$bundle/config.new" >"\$bundle/config.json"
fi
exec "$WORK/bin/runtime" "\${arguments[@]}"
END
}

# ---- images --------------------------------------------------------------------------------------

# A root file system of busybox, at the path given.
make_busybox() {
  local root=$1 name
  mkdir -p "$root"/{bin,dev,etc,proc,root,sys,tmp,var/www}
  chmod 1777 "$root/tmp"
  cp "$(command -v busybox)" "$root/bin/busybox"
  for name in $("$root/bin/busybox" --list); do
    [ "$name" = busybox ] || ln -s busybox "$root/bin/$name"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nuser:x:1000:\n' >"$root/etc/group"
  echo 'a text' >"$root/etc/text" # a file that is not executable
}

# make_layout CONFIG...: $WORK/layout, with the image bb of a busybox; CONFIG: of `umoci config`.
make_layout() {
  make_busybox "$WORK/busybox"
  umoci init --layout "$WORK/layout"
  umoci new --image "$WORK/layout:bb"
  umoci insert --image "$WORK/layout:bb" "$WORK/busybox" /
  umoci config --image "$WORK/layout:bb" --config.env PATH=/bin "$@"
}

# The same as an archive, $WORK/bb.tar.
save_layout() {
  skopeo --insecure-policy copy -q "oci:$WORK/layout:bb" \
    "oci-archive:$WORK/bb.tar:docker.io/library/bb:latest" 3>&-
}

# A program for a machine (SuperH) that nobody registers an interpreter for, at the path given.
make_foreign() {
  printf '\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x2a\0\x01\0\0\0%080d' 0 >"$1"
  chmod 755 "$1"
}

# Debian, made once a machine: prints the path of a tar file.
debian_tar() {
  local tar=$CACHE/debian-bookworm.tar new
  mkdir -p "$CACHE"
  (
    flock 9
    if [ ! -s "$tar" ]; then
      new=$(mktemp -d "$CACHE/new.XXXXXX")
      trap 'rm -rf --one-file-system "$new"' EXIT
      # Its mounts, in the root that it makes, are gone with the namespace.
      unshare --mount --propagation private \
        debootstrap --variant=minbase bookworm "$new/root" "$(debian_mirror)" >"$new/log" 2>&1 ||
        { tail -n 5 "$new/log" >&2; exit 1; }
      rm -rf "$new"/root/var/cache/apt/* "$new"/root/var/lib/apt/lists/*
      tar --one-file-system -C "$new/root" -cf "$new/tar" .
      mv "$new/tar" "$tar"
    fi
  ) 9>"$CACHE/lock" 3>&- || return
  echo "$tar"
}

# The mirror that this machine installs from.
debian_mirror() {
  local mirror
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null |
    grep -m 1 -E '/debian/?$') || true
  echo "${mirror:-http://deb.debian.org/debian}"
}

# ---- assertions ----------------------------------------------------------------------------------

# assert_run STATUS [OUTPUT]: of the last `run`.
assert_run() {
  [ "$status" -eq "$1" ] || fail_with "status $status, wanted $1"
  [ $# -lt 2 ] || [ "$output" = "$2" ] || fail_with "output is not '$2'"
}

assert_contains() {
  local word
  for word; do
    [[ $output == *"$word"* ]] || fail_with "output lacks '$word'"
  done
}

fail_with() {
  printf '%s\nstatus: %s\noutput: %s\n' "$1" "$status" "$output" >&2
  [ -z "${stderr:-}" ] || printf 'stderr: %s\n' "$stderr" >&2
  return 1
}

# page_run PAGE PROGRAM OPTION...: what docs/PAGE has a person type, in a directory of its own in the
# box. PROGRAM is called with our options in front, which say where its storage and its socket are.
page_run() {
  local page=$1 program=$2 directory=$WORK/page
  shift 2
  mkdir -p "$directory/bin" "$directory/here"
  printf '#!/bin/sh\nexec %s "$@"\n' "$(printf '%q ' "$(type -P "$program")" "$@")" \
    >"$directory/bin/$program"
  chmod +x "$directory/bin/$program"
  doc_script "$page" "$WORK/bin/runtime" >"$directory/script"
  # entering a mount namespace loses the directory
  PATH=$directory/bin:$PATH box timeout --foreground 120 \
    bash -c 'cd "$1" && exec bash ../script' - "$directory/here"
}

# terminal SECONDS:TEXT... -- COMMAND...: runs COMMAND on a terminal, and types the lines, each after
# so many seconds. run sees what the terminal shows, without carriage returns.
terminal() {
  local typed=() command
  while [ "$1" != -- ]; do
    typed+=("$1")
    shift
  done
  shift
  command=$(printf '%q ' "$@")
  {
    for line in "${typed[@]}"; do
      sleep "${line%%:*}"
      printf '%s\n' "${line#*:}"
    done
    sleep 3 # script ends when its input does
  } | box timeout 60 script --quiet --return --command "$command" /dev/null | tr -d '\r'
  return "${PIPESTATUS[1]}"
}

# ---- the leak audit ------------------------------------------------------------------------------

all_groups() {
  find /sys/fs/cgroup -depth -type d -path "*$TAG*" 2>/dev/null || true
}

remove_groups() {
  local group result=0
  while read -r group; do
    rmdir "$group" || result=1
  done < <(all_groups)
  return $result
}

# audit KEEP STATE-ROOT...: of a container, nothing is left: no group below the manager's own (but for
# those of MAY_STAY), no state, no process but the manager's (KEEP, like MAY_STAY a regular
# expression), no mount of a root.
audit() {
  local keep=$1 left result=0
  shift
  left=$(all_groups | grep "$TAG/." | grep -vE "${MAY_STAY:-^$}") || true
  [ -z "$left" ] || { echo "left: groups: $left" >&2; result=1; }
  # compiled seccomp filters are kept
  left=$(box find "$@" -mindepth 1 -name .seccomp -prune -o -print 2>/dev/null) || true
  [ -z "$left" ] || { echo "left: $left" >&2; result=1; }
  left=$(box ps -eo pid=,args= | awk '$1 != 1' |
    grep -vE "^ *[0-9]+ (sleep 3600|ps -eo|nsenter .* ps -eo|$keep)") || true
  [ -z "$left" ] || { echo "left: processes: $left" >&2; result=1; }
  left=$(box cat /proc/self/mountinfo |
    grep -E "$TAG.*/(merged|mounts/shm) |/run/[^ ]*(/rootfs|netns/[0-9a-f-]*) ") || true
  [ -z "$left" ] || { echo "left: mounts: $left" >&2; result=1; }
  return $result
}

show_trace() {
  [ -z "$BATS_TEST_COMPLETED" ] || return 0
  [ ! -e "$WORK/daemon.log" ] || tail -n 5 "$WORK/daemon.log" >&2
  [ ! -s "$WORK/trace" ] || tail -n 40 "$WORK/trace" >&2
}
