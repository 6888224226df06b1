# An ordinary user, made up for the tests: a number that nobody has, a home that does not exist.
# Where USER_ID and USER_RUN, its XDG_RUNTIME_DIR, are set, it is somebody who is there.
# shellcheck shell=bash disable=SC2154

# Call in setup_file after file_begin: $WORK and the runtime become reachable for it.
user_begin() {
  USER_ID=${USER_ID:-$((2000000 + $$ % 1000000))}
  RUNTIME_COPY=$WORK/$(basename "$RUNTIME")
  export USER_ID RUNTIME_COPY
  chmod 755 "$WORK"
  cp "$RUNTIME" "$RUNTIME_COPY"
  mkdir -m 700 "$ROOT" "$WORK/run"
  chown -R "$USER_ID:$USER_ID" "$WORK/rootfs" "$ROOT" "$WORK/run"
}

# Call in setup_file after user_begin: the user has a name, and subordinate ids, in files of /etc
# that as_user mounts over the machine's own for what it runs. FEW: the first of 1000 small numbers.
user_gets_ranges() {
  RANGE=$((10000000 + $$ % 100000 * 20000)) # no other file's at the same time
  SECOND_RANGE=$((RANGE + 15000)) FEW=3000
  ETC=$WORK/etc
  export RANGE SECOND_RANGE FEW ETC
  mkdir "$ETC"
  echo "root:x:0:0::/root:/bin/sh
$TAG:x:$USER_ID:$USER_ID::/:/bin/sh" >"$ETC/passwd"
  echo "root:x:0:
$TAG:x:$USER_ID:" >"$ETC/group"
  printf "$TAG:%s:%s\n" $RANGE 10000 $SECOND_RANGE 100 $FEW 1000 | tee "$ETC/subuid" >"$ETC/subgid"
}

# with_own_etc COMMAND...: in mounts of its own, with the files of user_gets_ranges in /etc.
with_own_etc() {
  # shellcheck disable=SC2016
  unshare --mount --propagation private sh -ec 'etc=$1; shift
    for file in passwd group subuid subgid; do mount --bind "$etc/$file" "/etc/$file"; done
    exec "$@"' - "$ETC" "$@"
}

# KEEP: a list of groups for setpriv; SEARCH: the user's $PATH
as_user() {
  local groups=(--clear-groups) around=()
  [ -z "${KEEP:-}" ] || groups=(--groups "$KEEP")
  [ -z "${ETC:-}" ] || around=(with_own_etc)
  # a directory that is mounted when its user comes is not in the mounts that a test file has
  [ -z "${USER_RUN:-}" ] || around=(nsenter --target 1 --mount)
  "${around[@]}" setpriv --reuid "$USER_ID" --regid "$USER_ID" "${groups[@]}" \
    --inh-caps=-all env -i PATH="${SEARCH:-/usr/bin:/bin:/usr/sbin:/sbin}" XDG_RUNTIME_DIR="${USER_RUN:-$WORK/run}" LC_ALL=C \
    ${ASAN_OPTIONS:+ASAN_OPTIONS="$ASAN_OPTIONS"} ${UBSAN_OPTIONS:+UBSAN_OPTIONS="$UBSAN_OPTIONS"} "$@"
}

rt() {
  as_user "$RUNTIME_COPY" --root "$ROOT" "$@" 3>&-
}

# A bundle of the user's own, with the config that `spec --rootless` makes.
make_user_bundle() {
  mkdir -p "$BUNDLE"
  cp -a "$WORK/rootfs" "$BUNDLE/rootfs"
  chown "$USER_ID:$USER_ID" "$BUNDLE"
  as_user "$RUNTIME_COPY" spec --rootless --bundle "$BUNDLE"
  local argument
  config '.process.terminal = false | .process.args = $args' \
    --argjson args "$(for argument; do jq -n --arg a "$argument" '$a'; done | jq -s .)"
}

# The files of /proc of the processes that run as the user, or as one of its subordinate ids.
processes_of_user() {
  grep -sE '^Uid:' /proc/[0-9]*/status |
    awk -v ids="$USER_ID:1 ${RANGE:-0}:${RANGE:+10000} ${SECOND_RANGE:-0}:${SECOND_RANGE:+100}" '
      { n = split (ids, range, /[: ]/)
        for (i = 1; i < n; i += 2)
          if ($2 >= range[i] && $2 - range[i] < range[i + 1])
            print $1 }'
}

# What is the user's and ought not to be there once its containers are gone: processes, mounts,
# groups, files. Silent where there is nothing.
user_audit() {
  local left
  left=$(processes_of_user; processes_of "$TAG"; holders "$TAG"; cgroups_of "$TAG"
    grep -F "$TAG" /proc/self/mountinfo
    find "$WORK/run" -mindepth 2 ! -name .seccomp ! -path '*/.seccomp/*'; find /dev/shm -user "$USER_ID")
  [ -z "$left" ] || { echo "left: $left" >&2; return 1; }
}

no_processes_of_user() {
  [ -z "$(processes_of_user)" ]
}
