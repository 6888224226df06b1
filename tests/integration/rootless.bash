# An ordinary user, made up for the tests: a number that nobody has, a home that does not exist.
# shellcheck shell=bash disable=SC2154

# Call in setup_file after file_begin: $WORK and the runtime become reachable for it.
user_begin() {
  USER_ID=$((2000000 + $$ % 1000000))
  RUNTIME_COPY=$WORK/$(basename "$RUNTIME")
  export USER_ID RUNTIME_COPY
  chmod 755 "$WORK"
  cp "$RUNTIME" "$RUNTIME_COPY"
  mkdir -m 700 "$ROOT" "$WORK/run"
  chown -R "$USER_ID:$USER_ID" "$WORK/rootfs" "$ROOT" "$WORK/run"
}

# KEEP: a list of groups for setpriv; SEARCH: the user's $PATH
as_user() {
  local groups=(--clear-groups)
  [ -z "${KEEP:-}" ] || groups=(--groups "$KEEP")
  setpriv --reuid "$USER_ID" --regid "$USER_ID" "${groups[@]}" \
    --inh-caps=-all env -i PATH="${SEARCH:-/usr/bin:/bin:/usr/sbin:/sbin}" XDG_RUNTIME_DIR="$WORK/run" LC_ALL=C \
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

processes_of_user() {
  grep -lsE "^Uid:[[:space:]]+$USER_ID[[:space:]]" /proc/[0-9]*/status || true
}

no_processes_of_user() {
  [ -z "$(processes_of_user)" ]
}
