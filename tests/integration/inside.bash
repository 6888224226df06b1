# What a container looks like from inside: how to ask, and how to read the answers.
# shellcheck shell=bash disable=SC2154

# The programs of tests/lib, made by `make check`.
tool() {
  local path=${top_builddir:-$TOP/build}/tests/lib/$1
  [ -x "$path" ] || { echo "not built: $path (make check builds it)" >&2; return 1; }
  echo "$path"
}

# What the shell says, in the test's bundle. Fails if the container does.
inside() {
  config '.process.args = ["sh", "-c", $script]' --arg script "$1"
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
}

# mountinfo(5) on the input; a line a mount:
#   POINT TYPE SOURCE ROOT OPTIONS SUPER-OPTIONS PROPAGATION
# with the kernel's escapes kept, so every column is one word. PROPAGATION is "private" where there
# are no optional fields.
mounts() {
  awk '{ peers = ""
         for (i = 7; $i != "-"; i++)
           peers = peers (peers ? "," : "") $i
         if (i == 7)
           peers = "private"
         print $5, $(i + 1), $(i + 2), $4, $6, $(i + 3), peers }'
}

# mount_column POINT N: of the topmost mount at POINT in $mounts; N as above, POINT is 1.
mount_column() {
  awk -v point="$1" -v n="$2" '$1 == point { found = $n } END { print found }' <<<"$mounts"
}

# has_option LIST OPTION
has_option() {
  [[ ,$1, == *,"$2",* ]]
}

# A field of /proc/PID/status on the input, blanks made single.
status_field() {
  awk -v name="$1:" '$1 == name { $1 = ""; sub (/^ /, ""); print }'
}

# The names of capabilities as the mask that /proc/PID/status shows.
capability_mask() {
  local name mask=0
  local -A bits=([CHOWN]=0 [DAC_OVERRIDE]=1 [FOWNER]=3 [KILL]=5 [SETGID]=6 [SETUID]=7
    [NET_BIND_SERVICE]=10 [NET_RAW]=13 [SYS_CHROOT]=18 [SYS_ADMIN]=21 [AUDIT_WRITE]=29)
  for name; do
    mask=$((mask | 1 << ${bits[${name#CAP_}]:?}))
  done
  printf '%016x\n' $mask
}

# The paths of a list of config.json that exist on this machine.
existing() {
  local path
  jq -r "$1" "$BUNDLE/config.json" | while read -r path; do
    [ ! -e "$path" ] || echo "$path"
  done
}

cgroup_version() {
  [ -e /sys/fs/cgroup/cgroup.controllers ] && echo 2 || echo 1
}

# create as a manager does it: the container's streams are not ours
create() {
  rt create --bundle "$BUNDLE" "$@" "$ID" </dev/null >"$BUNDLE/out" 2>"$BUNDLE/err" 3>&-
}

# Processes that have a file of this name among their standard streams; only those that are called
# so, with a second argument.
holders_of() {
  local pid
  for pid in $(find /proc/[0-9]*/fd/[012] -maxdepth 0 -lname "*/$1" 2>/dev/null | cut -d / -f 3 | sort -u); do
    if [ $# -lt 2 ] || [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ]; then
      echo "$pid"
    fi
  done
}

# run_root pivoted|moved
run_root() {
  local options=()
  [ "$1" = pivoted ] || options=(--no-pivot)
  run_rt run "${options[@]}" --bundle "$BUNDLE" "$ID" </dev/null
}
